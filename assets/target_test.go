package assets

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Names that would leave the folder on Windows are refused everywhere: the folder may be carried there.
func TestNamesThatLeaveOnWindows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		`..\evil`: true, `a\..\..\evil`: true, `a/..\..\evil`: true, `\evil`: true, `\\host\share\evil`: true, `C:\evil`: true, `c:/evil`: true, `C:\..\evil`: true, `..\`: true,
		`a\b`: false, `a\..\b`: false, "a:b": false, "ab:/c": false, "C:": false, "..a": false, `a\...\b`: false, "a/b": false, "": false,
	} {
		require.Equal(t, want, leaves(name), "%q", name)
	}
	_, _, err := (&Download{Dir: "to"}).plan([]remote{{name: `m/..\..\evil`, size: 1}}, "m", false, nil)
	require.ErrorContains(t, err, "would be written outside of to: nothing was downloaded")
}

func FuzzLeaves(f *testing.F) {
	for _, s := range []string{`..\a`, `a\..\..`, "C:/x", `\\h\s`, "a/b", `a\b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p := strings.ReplaceAll(name, `\`, "/")
		depth := 0
		for e := range strings.SplitSeq(p, "/") { // walked as Windows would
			switch e {
			case "", ".":
			case "..":
				if depth--; depth < 0 && strings.Contains(name, `\`) && !leaves(name) {
					t.Fatalf("%q leaves its folder, and is let through", name)
				}
			default:
				depth++
			}
		}
	})
}

func TestNamesThatAreOneToTheSystem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		system, a, b, want string
	}{
		{"linux", "A/x", "a/x", ""}, {"darwin", "A/x", "a/X", "same file"}, {"windows", "A/x", "a/X", "same file"}, {"windows", "a./x", "a/x. ", "same file"}, {"darwin", "a.", "a", ""},
		{"linux", "a", "a/b/c", "needs a folder"}, {"linux", "a/b/c", "a", "needs a folder"}, {"windows", "A", "a/b", "needs a folder"}, {"linux", "A", "a/b", ""}, {"linux", "ab", "a/b", ""},
	} {
		tg := newTarget(c.system)
		require.NoError(t, tg.add(c.a, "1"))
		err := tg.add(c.b, "2")
		if err == nil {
			err = tg.check()
		}
		if c.want == "" {
			require.NoError(t, err, "%+v", c)
		} else {
			require.ErrorContains(t, err, c.want, "%+v", c)
		}
	}
}

// A target refuses exactly the sets of names of which one lies below another.
func TestTargetAgainstPairs(t *testing.T) {
	t.Parallel()
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 4).Draw(t, "name"), "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(name, 1, 6, rapid.ID[string]).Draw(t, "names")
		tg, below := newTarget("linux"), false
		for _, n := range names {
			require.NoError(t, tg.add(n, n))
			for dir := path.Dir(n); dir != "."; dir = path.Dir(dir) {
				for _, m := range names {
					below = below || m == dir
				}
			}
		}
		require.Equal(t, below, tg.check() != nil, "%q", names)
	})
}
