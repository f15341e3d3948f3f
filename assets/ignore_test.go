package assets

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// vectors reads a file that testdata/generate.py wrote with the reference.
func vectors(t testing.TB, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

type ignoreVectors struct {
	Paths []string
	Cases []struct {
		Lines    []string
		Excluded string
		Error    string
	}
}

func TestIgnoreAgainstReference(t *testing.T) {
	var v ignoreVectors
	vectors(t, "ignore.json", &v)
	for _, c := range v.Cases {
		g, err := ParseIgnore([]byte(strings.Join(c.Lines, "\n")))
		if c.Error != "" {
			require.Error(t, err, "%q", c.Lines)
			continue
		}
		require.NoError(t, err, "%q", c.Lines)
		for i, p := range v.Paths {
			require.Equal(t, c.Excluded[i] == '1', g.Excludes(p), "lines %q path %q", c.Lines, p)
		}
	}
}

func TestIgnoreText(t *testing.T) {
	g, err := ParseIgnore([]byte("\ufeffa\r\nb\rc \t\n# d\n\n"), "__pycache__")
	require.NoError(t, err)
	for _, p := range []string{"a", "b", "c", "x/a/y", "__pycache__/z"} {
		require.True(t, g.Excludes(p), p)
	}
	require.False(t, g.Excludes("d"))
	require.False(t, (&Ignore{}).Excludes("a"))
	require.False(t, (*Ignore)(nil).Excludes("a"))

	_, err = ParseIgnore([]byte("ok\n!\n"))
	require.EqualError(t, err, `assets: ignore file: line 2: the pattern "!" is not valid: no pattern is left of it`)
	_, err = ParseIgnore([]byte("[b-a]"))
	require.ErrorContains(t, err, "line 1")
	_, err = ParseIgnore([]byte{0xff})
	require.ErrorContains(t, err, "not UTF-8")
}

// What a sealed folder promises: nothing below it is included.
func TestSealedHoldsBelow(t *testing.T) {
	var v ignoreVectors
	vectors(t, "ignore.json", &v)
	var lines []string
	for _, c := range v.Cases {
		if c.Error == "" {
			lines = append(lines, c.Lines...)
		}
	}
	name := rapid.SampledFrom([]string{"a", "b", "ab", "a.b", "build", "log", "x.log", "é", "日本", "[z]", "]", "a-b"})
	sealed := 0
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(lines), 1, 6).Draw(t, "lines")
		g, err := ParseIgnore([]byte(strings.Join(list, "\n")))
		require.NoError(t, err)
		dir := rapid.SliceOfN(name, 1, 3).Draw(t, "dir")
		below := strings.Join(append(dir, rapid.SliceOfN(name, 1, 3).Draw(t, "below")...), "/")
		sc := scope{a: g.a, s: g.a.start}.enter(strings.Join(dir, "/"))
		if sc.sealed() {
			sealed++
			require.True(t, g.Excludes(below), "%q %q", list, below)
		}
	})
	t.Logf("%d sealed", sealed)
}

// A folder that no later rule can bring back is sealed, so that it is not entered.
func TestSealed(t *testing.T) {
	for _, c := range []struct {
		lines, dir string
		want       bool
	}{
		{"build/", "build", true}, {"build", "x/build", true}, {"*.d", "x.d", true}, {"**", "a", true},
		{"/build", "x/build", false}, {"build/*.log", "build", false}, {"build/\n!build/keep", "build", false},
		{"build/\n!build/keep", "build/other", true}, {"!keep\nbuild/", "build", true}, {"node_modules/\n!*.md", "node_modules", false},
		{"a/**", "a", true}, {"a/**/b", "a", false}, {"", "a", false}, {"[a-][!a]", "a", false},
	} {
		g, err := ParseIgnore([]byte(c.lines))
		require.NoError(t, err)
		require.Equal(t, c.want, scope{a: g.a, s: g.a.start}.enter(c.dir).sealed(), "%q %q", c.lines, c.dir)
	}
}

func FuzzIgnore(f *testing.F) {
	for _, s := range []string{"*.log", "!keep\nbuild/", "**/a/**", "[!]a-]", "\\", "[b-a]", "a//b", "!", "é?"} {
		f.Add(s, "build/a.log")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		g, err := ParseIgnore([]byte(text))
		if err != nil {
			return
		}
		got := g.Excludes(path)
		// The same path, folder by folder.
		sc := scope{a: g.a, s: g.a.start}
		segs := strings.Split(path, "/")
		hidden := false
		for _, s := range segs[:len(segs)-1] {
			sc = sc.enter(s)
			hidden = hidden || sc.sealed()
		}
		last := segs[len(segs)-1]
		if sc.excludes(last) != got {
			t.Fatalf("%q %q: whole %v, by folder %v", text, path, got, !got)
		}
		if hidden && !got && !strings.Contains(path, "\n") {
			t.Fatalf("%q %q: included below a sealed folder", text, path)
		}
	})
}
