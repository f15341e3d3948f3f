package table

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Glob is a pattern of paths: *, ? and [ab] stay within a folder, **/ is any
// number of folders.
type Glob struct {
	// Folder is the part before the first wildcard, up to a slash; Rest the
	// pattern of what lies below it.
	Folder, Rest string
	re           *regexp.Regexp
}

// ParseGlob reads a pattern.
func ParseGlob(pattern string) (*Glob, error) {
	i := strings.IndexAny(pattern, "*?[")
	if i < 0 {
		i = len(pattern)
	}
	g := &Glob{}
	if k := strings.LastIndexByte(pattern[:i], '/'); k >= 0 {
		g.Folder, g.Rest = pattern[:k+1], pattern[k+1:]
	} else {
		g.Rest = pattern
	}
	if strings.ContainsAny(g.Rest, "{}\\") {
		return nil, fmt.Errorf("pattern %s: the wildcards are *, ?, [ab] and **/", pattern)
	}
	var b strings.Builder
	for i := 0; i < len(g.Rest); i++ {
		switch c := g.Rest[i]; {
		case strings.HasPrefix(g.Rest[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(g.Rest[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[':
			end := strings.IndexByte(g.Rest[i+1:], ']')
			if end < 1 {
				return nil, fmt.Errorf("pattern %s: a [ wants its ]", pattern)
			}
			inner := g.Rest[i+1 : i+1+end]
			not := ""
			if inner[0] == '!' || inner[0] == '^' {
				not, inner = "^", inner[1:]
			}
			if inner == "" || strings.ContainsAny(inner, "/[") {
				return nil, fmt.Errorf("pattern %s: [%s] names no characters", pattern, inner)
			}
			b.WriteString("[" + not + strings.ReplaceAll(inner, "^", `\^`) + "]")
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	re, err := regexp.Compile("^(?s:" + b.String() + ")$")
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", pattern, err)
	}
	g.re = re
	return g, nil
}

// Match says whether a path below Folder, with slashes, fits.
func (g *Glob) Match(rest string) bool { return g.re.MatchString(path.Clean(rest)) }
