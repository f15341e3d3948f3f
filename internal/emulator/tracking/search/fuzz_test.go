package search

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Any text gives clauses or an *Error, and comes to an end.
func FuzzFilters(f *testing.F) {
	for _, s := range []string{
		"metrics.`val loss` > 0.5 AND params.\"x y\" LIKE '%a_' and tags.k IS NOT NULL", "run_id NOT IN ('a', \"b\\'\", r'c',)", "timestamp > 5 AND span.attributes.x RLIKE '^a'",
		"name = 'it''s' -- c", "((a.b[1]::int = $1", "`a``b` /*+ x */ = ´c´", "case when 1 then 2 end", "'\\", "metrics.a DESC NULLS LAST", "date '2020' = ?",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 {
			return
		}
		for _, read := range filters {
			if _, err := read(s); err != nil {
				require.ErrorAs(t, err, new(*Error))
			}
		}
		for _, read := range orders {
			if _, err := read([]string{s}); err != nil {
				require.ErrorAs(t, err, new(*Error))
			}
		}
	})
}

// The tokens of a text, joined, are the text; so are the groups.
func TestTokensKeepTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching("[a-c.'\"`\\\\ ()=<>,;0-9/*$-]{0,40}").Draw(t, "text")
		var b strings.Builder
		for _, n := range lex(s) {
			b.WriteString(n.value)
		}
		require.Equal(t, s, b.String())
		statements, err := parse(s)
		require.NoError(t, err)
		b.Reset()
		for _, n := range statements {
			b.WriteString(leaves(n))
		}
		require.Equal(t, strings.TrimRight(s, " "), strings.TrimRight(b.String(), " "))
	})
}

func leaves(n *node) string {
	if !n.group() {
		return n.value
	}
	var b strings.Builder
	for _, m := range n.nodes {
		b.WriteString(leaves(m))
	}
	return b.String()
}

func TestTooMuchIsRefused(t *testing.T) {
	for _, s := range []string{strings.Repeat("(", 200) + strings.Repeat(")", 200), strings.Repeat("a = 1 AND ", 4000)} {
		_, err := Runs(s)
		require.ErrorContains(t, err, "Error on parsing filter")
	}
}

func TestDuplicateOrders(t *testing.T) {
	_, err := RunOrders([]string{"start_time", "created DESC"})
	require.EqualError(t, err, "`order_by` contains duplicate fields: ['start_time', 'created DESC']")
	_, err = ModelOrders([]string{"timestamp", "last_updated_timestamp"})
	require.ErrorContains(t, err, "duplicate fields")
	_, err = VersionOrders([]string{"name", "tags.name"})
	require.ErrorContains(t, err, "duplicate fields")
	got, err := VersionOrders([]string{"tags.name DESC", "version_number"})
	require.NoError(t, err)
	require.Equal(t, []Order{{Attribute, "name", false}, {Attribute, "version_number", true}}, got)
}

func BenchmarkRuns(b *testing.B) {
	for b.Loop() {
		_, _ = Runs("metrics.acc > 0.9 AND params.lr = '0.1' AND tags.k LIKE 'a%'")
	}
}
