package monitoring

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWindowKnowsAllRollingRates(t *testing.T) {
	t.Parallel()
	s := Span{Start: time.Date(2024, 3, 2, 6, 30, 0, 0, time.UTC), End: time.Date(2024, 3, 3, 6, 30, 0, 0, time.UTC)}
	var files []File
	want := map[string]bool{
		"in/2024/03/01/a.jsonl": false, "in/2024/03/02/a.jsonl": true, "in/2024/03/03/a.jsonl": true, "in/2024/03/04/a.jsonl": false,
		"in/2024/03/02/05/a.jsonl": false, "in/2024/03/02/06/a.jsonl": true, "in/2024/03/03/07/a.jsonl": false,
		"in/2024/03/02/06/29/a.jsonl": false, "in/2024/03/02/06/30/a.jsonl": true, "in/2024/03/03/06/30/a.jsonl": true, "in/2024/03/03/06/31/a.jsonl": false,
		"in/2024/13/01/a.jsonl": false,
	}
	for f := range want {
		files = append(files, File{Shown: f})
	}
	left, dated := s.Within(files)
	require.True(t, dated)
	got := map[string]bool{}
	for _, f := range left {
		got[f.Shown] = true
	}
	for f, in := range want {
		require.Equal(t, in, got[f], f)
	}
}
