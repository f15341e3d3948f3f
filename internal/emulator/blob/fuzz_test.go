package blob

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"", "/", "/a", "/a/", "/a/c", "/a/c/", "/a/c/b", "/a/c//b", "/a/c/..%2f..", "/a/c/%", "/a//b", "/a%2Fc/b", "/a/c/%00", "/a/c/%ff", "a/c/b?x", "/a/c/é", "/a/c/%E6%97%A5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parsePath(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, a.account)
		escaped := "/" + url.PathEscape(a.account)
		if a.container != "" {
			escaped += "/" + url.PathEscape(a.container)
		}
		if a.blob != "" {
			require.NoError(t, checkBlobName(a.blob))
			escaped += "/" + url.PathEscape(a.blob)
		}
		again, err := parsePath(escaped)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// What is accepted was signed, whatever surrounds it.
func FuzzSAS(f *testing.F) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 64))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &Service{clock: func() time.Time { return now }}
	s.keys.Store("acc", key)
	var genuine []query
	for _, o := range []struct {
		name string
		SASOptions
	}{{"", SASOptions{}}, {"b", SASOptions{Permissions: "rw"}}, {"d/e", SASOptions{Directory: true}}} {
		text, err := s.SAS("acc", "con", o.name, o.SASOptions)
		require.NoError(f, err)
		f.Add(text, "b")
		f.Add(text, "d/e/f")
		f.Add(strings.Replace(text, "sp=r", "sp=rw", 1), "b")
		f.Add(text+"&sv=2015-04-05", "b")
		f.Add("sv=2015-04-05&"+text, "b")
		v, err := parseQuery(text)
		require.NoError(f, err)
		genuine = append(genuine, v)
	}
	f.Add("sig=a&ss=b&srt=sco&sv=2022-11-02&se=2027-01-01&sp=rwdl", "b")
	f.Add("sig=a&skoid=x&sr=d&sdd=-1", "b")
	f.Fuzz(func(t *testing.T, text, blob string) {
		v, err := parseQuery(text)
		if err != nil {
			return
		}
		g, err := s.checkSAS(key, v, target{address: address{"acc", "con", blob}}, operation{kind: 'o'})
		if err != nil {
			return
		}
		for _, one := range genuine {
			if one["sig"] == v["sig"] {
				for _, name := range []string{"sp", "se", "st", "sr", "sv", "spr", "sip", "sdd"} {
					require.Equal(t, one[name], v[name], name)
				}
				require.Equal(t, one["sp"], g.permissions)
				return
			}
		}
		t.Fatalf("accepted %q", text)
	})
}

func FuzzParseBlockList(f *testing.F) {
	for _, seed := range []string{"", "<BlockList/>", "<BlockList><Latest>AAAA</Latest><Committed> BBBB </Committed><Uncommitted>CCCC</Uncommitted></BlockList>",
		"<BlockList><Latest></Latest></BlockList>", "<BlockList>x</BlockList>", "<A/>", "<BlockList><Latest><B/></Latest></BlockList>", "<BlockList/><BlockList/>",
		xmlHeader + "<BlockList>\n<Latest>AAAA</Latest></BlockList>\n", "<BlockList", "<!DOCTYPE x><BlockList/>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseBlockList(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		b.WriteString("<BlockList>")
		for _, l := range list {
			require.NoError(t, checkBlockID(l.block))
			element(&b, l.from, l.block)
		}
		b.WriteString("</BlockList>")
		again, err := parseBlockList(strings.NewReader(b.String()))
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"", "bytes=0-", "bytes=0-0", "bytes=1-0", "bytes=-5", "bytes=5", "bytes=9223372036854775807-", "bytes=9223372036854775808-", "bytes=+1-2", "bytes=0-1,3-4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, last, ok := parseRange(text)
		if ok {
			require.GreaterOrEqual(t, first, int64(0))
			require.GreaterOrEqual(t, last, first)
		}
	})
}

func FuzzStructuredMessage(f *testing.F) {
	for _, size := range []int64{0, 1, 100} {
		var b bytes.Buffer
		require.NoError(f, writeMessage(&b, bytes.NewReader(make([]byte, size)), size))
		f.Add(b.Bytes())
		f.Add(b.Bytes()[:b.Len()-1])
		b.Bytes()[b.Len()-10]++
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		data, err := io.ReadAll(newMessageReader(bytes.NewReader(message), int64(len(message))))
		if err == nil {
			require.Less(t, len(data), len(message))
		}
	})
}

func TestStructuredMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int64{0, 1, 1000, segmentLimit - 1, segmentLimit, segmentLimit + 1}).Draw(t, "size")
		data := bytes.Repeat([]byte("0123456789abcde"), int(size)/15+1)[:size]
		var b bytes.Buffer
		require.NoError(t, writeMessage(&b, bytes.NewReader(data), size))
		require.EqualValues(t, messageLength(size), b.Len())
		got, err := io.ReadAll(newMessageReader(bytes.NewReader(b.Bytes()), int64(b.Len())))
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
		// Any one bit that is changed, but for flags that mean nothing, is noticed.
		i := rapid.IntRange(0, b.Len()-1).Draw(t, "byte")
		if i == 9 || i == 10 {
			return
		}
		b.Bytes()[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		_, err = io.ReadAll(newMessageReader(bytes.NewReader(b.Bytes()), int64(b.Len())))
		require.Error(t, err)
	})
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string][3]int64{"bytes=0-0": {0, 0, 1}, "bytes=5-": {5, 1<<63 - 1, 1}, "bytes=2-9": {2, 9, 1}, "bytes=-5": {}, "x": {}, "bytes=9-2": {}} {
		first, last, ok := parseRange(text)
		require.Equal(t, want[2] == 1, ok, text)
		if ok {
			require.Equal(t, [2]int64{want[0], want[1]}, [2]int64{first, last}, text)
		}
	}
}

// The order of the service's own tables, which clients carry.
func TestCompareHeaders(t *testing.T) {
	ordered := []string{"x-ms-blob-content-type", "x-ms-blob-type", "x-ms-client-request-id", "x-ms-date", "x-ms-meta-a_b", "x-ms-meta-a1", "x-ms-meta-ab", "x-ms-meta-a-b", "x-ms-version"}
	for i := range ordered {
		for j := range ordered {
			got := compareHeaders(ordered[i], ordered[j])
			switch {
			case i < j:
				require.Negative(t, got, "%s %s", ordered[i], ordered[j])
			case i > j:
				require.Positive(t, got, "%s %s", ordered[i], ordered[j])
			default:
				require.Zero(t, got)
			}
		}
	}
}
