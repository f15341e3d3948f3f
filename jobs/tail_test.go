package jobs

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTailGivesWholeLines(t *testing.T) {
	var tl tail
	var got []string
	keep := func(s string, _ int64) bool { got = append(got, s); return true }
	tl.feed([]byte("one\ntw"), keep)
	require.Equal(t, []string{"one"}, got)
	require.EqualValues(t, 4, tl.shown())
	tl.feed([]byte("o\r\n\nlast"), keep)
	require.Equal(t, []string{"one", "two", ""}, got)
	tl.flush(keep)
	require.Equal(t, []string{"one", "two", "", "last"}, got)
	require.Equal(t, tl.read, tl.shown())
	tl.flush(keep)
	require.Len(t, got, 4)
}

func TestTailLongLine(t *testing.T) {
	var tl tail
	var got []string
	keep := func(s string, _ int64) bool { got = append(got, s); return true }
	for range 3 {
		tl.feed([]byte(strings.Repeat("x", maxLine/2)), keep)
	}
	require.Len(t, got, 1)
	require.Len(t, got[0], maxLine)
	tl.flush(keep)
	require.Len(t, got[1], maxLine/2)
}

// The pieces of a long line are all of its bytes, and each is text: a progress bar has no line breaks.
func TestTailPiecesOfText(t *testing.T) {
	text := strings.Repeat("\r50 % – ☃", maxLine/8)
	for _, at := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13} { // where the first piece would be cut
		whole := strings.Repeat("x", at) + text
		var got []string
		var tl tail
		keep := func(s string, end int64) bool { got = append(got, s); return true }
		for rest := []byte(whole); len(rest) > 0; {
			n := min(64<<10, len(rest))
			tl.feed(rest[:n], keep)
			rest = rest[n:]
		}
		tl.flush(keep)
		require.Greater(t, len(got), 1)
		require.True(t, strings.Join(got, "") == whole, "bytes are lost, with %d before", at)
		for _, piece := range got {
			require.True(t, utf8.ValidString(piece))
		}
	}
}

// However the bytes arrive, and wherever a follower stops and another goes on, the lines are the same.
func TestTailPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-c]{0,4}\n){0,6}[a-c]{0,3}`).Draw(t, "text")
		want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			want = nil
		}
		var got []string
		var tl tail
		keep := func(s string, end int64) bool { got = append(got, s); return true }
		resumes := rapid.IntRange(0, 5).Draw(t, "resumes")
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			tl.feed([]byte(rest[:n]), keep)
			rest = rest[n:]
			if resumes > 0 && rapid.Bool().Draw(t, "resume") {
				resumes--
				rest = text[tl.shown():]
				tl = tail{read: tl.shown()}
			}
		}
		tl.flush(keep)
		require.Equal(t, want, got)
	})
}

func TestSelectLogs(t *testing.T) {
	files := map[string]string{}
	for _, f := range []string{"user_logs/std_log.txt", "user_logs/std_log_process_0.txt", "user_logs/std_log_process_1.txt", "user_logs/std_log_0_ps.txt",
		"user_logs/std_log_process_00.txt", "user_logs/std_log_process_10.txt", "azureml-logs/70_driver_log.txt", "system_logs/lifecycler.log", "logs/azureml/executionlogs.txt"} {
		files[f] = ""
	}
	require.Equal(t, []string{"user_logs/std_log.txt", "user_logs/std_log_0_ps.txt", "user_logs/std_log_process_0.txt", "user_logs/std_log_process_00.txt"}, selectLogs(files, "Command", false))
	require.Len(t, selectLogs(files, "Command", true), 6)
	for f := range files {
		if strings.HasPrefix(f, "user_logs/") {
			delete(files, f)
		}
	}
	require.Equal(t, []string{"azureml-logs/70_driver_log.txt"}, selectLogs(files, "Command", false))
	require.Equal(t, []string{"logs/azureml/executionlogs.txt"}, selectLogs(files, "Pipeline", false))
	require.Empty(t, selectLogs(files, "Spark", false))
}
