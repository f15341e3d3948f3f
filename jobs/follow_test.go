package jobs

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const std = "user_logs/std_log.txt"

func TestLogsFollow(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", NotStarted)
	c, clk := w.client()
	step := 0
	clk.onStep = func(time.Time) {
		switch step++; step {
		case 1:
			j.set(Running)
			j.write(std, "one\ntw")
		case 2: // nothing
		case 3:
			j.write(std, "o\n")
			j.write("user_logs/std_log_process_1.txt", "not the first process\n")
		case 4:
			j.write("system_logs/x.log", "not the user's\n")
			j.write(std, "last, without a break")
			j.set(Completed)
		}
	}
	var lines, files []string
	var states []Status
	for line, err := range c.Logs(t.Context(), "a", &LogsOptions{
		Status: func(s Status) { states = append(states, s) },
		File:   func(f string) { files = append(files, f) },
	}) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Equal(t, []string{"one", "two", "last, without a break"}, lines)
	require.Equal(t, []Status{NotStarted, Running, Completed}, states)
	require.Equal(t, []string{std}, files)
	require.Equal(t, []string{std + " bytes=0-", std + " bytes=6-", std + " bytes=6-", std + " bytes=8-"}, j.ranges, "only what is new is asked for")
}

func TestLogsOfAllProcessesAndPresent(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write("user_logs/std_log_process_0.txt", "zero\nhalf")
	j.write("user_logs/std_log_process_1.txt", "one\n")
	c, _ := w.client()
	var lines []string
	for line, err := range c.Logs(t.Context(), "a", &LogsOptions{AllProcesses: true, Present: true}) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Equal(t, []string{"zero", "half", "one"}, lines)
}

func TestLogsStopEarly(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "one\ntwo\n")
	c, _ := w.client()
	for line, err := range c.Logs(t.Context(), "a", nil) {
		require.NoError(t, err)
		require.Equal(t, "one", line)
		break
	}
}

func TestLogsSurviveALostConnection(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "one\n")
	c, clk := w.client()
	step := 0
	lost := errors.New("connection reset by peer")
	clk.onStep = func(time.Time) {
		switch step++; step {
		case 1:
			w.fail = func(*http.Request) error { return lost }
		case 3:
			w.fail = nil
			j.write(std, "two\n")
		case 4: // the log alone is out of reach, once by an expired signature
			w.handle("GET /logs/a/"+std, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
			j.set(Completed)
		case 5:
			w.handle("GET /logs/a/"+std, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
		case 6:
			j.write(std, "three\n")
			j.serve(std)
		}
	}
	var lines []string
	var states []Status
	for line, err := range c.Logs(t.Context(), "a", &LogsOptions{Status: func(s Status) { states = append(states, s) }}) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Equal(t, []string{"one", "two", "three"}, lines)
	require.Equal(t, []Status{Running, Completed}, states, "the end is told after the last line")
}

func TestLogsGiveUp(t *testing.T) {
	w := newWorld(t)
	w.job("a", Running)
	c, clk := w.client()
	lost := errors.New("no route to host")
	clk.onStep = func(time.Time) { w.fail = func(*http.Request) error { return lost } }
	begin := clk.Now()
	var last error
	for _, err := range c.Logs(t.Context(), "a", &LogsOptions{Outage: time.Minute, Poll: time.Second}) {
		last = err
	}
	require.ErrorIs(t, last, lost)
	require.ErrorContains(t, last, `jobs: logs of "a"`)
	require.InDelta(t, time.Minute, clk.Now().Sub(begin), float64(3*time.Second))

	w.fail = nil
	for _, err := range c.Logs(t.Context(), "none", nil) {
		last = err
	}
	require.ErrorContains(t, last, "404", "what is not there is not waited for")
}

// A body that breaks off is taken up where it broke off.
func TestLogsBrokenBody(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "one\ntwo\nthree\n")
	_, clk := w.client()
	clk.onStep = func(time.Time) { j.set(Completed) }
	broken := false
	transport := transportFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := w.Do(r)
		if err == nil && strings.HasPrefix(r.URL.Path, "/logs/") && !broken {
			broken = true
			resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 6), errReader{io.ErrUnexpectedEOF}))
		}
		return resp, err
	})
	c := w.clientWith(transport, clk)
	var lines []string
	for line, err := range c.Logs(t.Context(), "a", &LogsOptions{Outage: time.Minute}) {
		require.NoError(t, err)
		lines = append(lines, line)
		clk.move(time.Hour) // whoever reads the lines may be slow: that is no outage
	}
	require.Equal(t, []string{"one", "two", "three"}, lines)
	require.Equal(t, std+" bytes=6-", j.ranges[1])
}

func TestLogBegunAnew(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "first try\nand more\n")
	c, clk := w.client()
	step := 0
	clk.onStep = func(time.Time) {
		switch step++; step {
		case 1:
			j.mu.Lock()
			j.logs[std] = "again\n"
			j.mu.Unlock()
		case 2:
			j.set(Completed)
		}
	}
	var lines []string
	for line, err := range c.Logs(t.Context(), "a", nil) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Equal(t, []string{"first try", "and more", "again"}, lines)
}

func TestEventsResume(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "one\ntwo\nthree\n")
	c, clk := w.client()
	clk.onStep = func(time.Time) { j.set(Completed) }
	var all []Event
	for e, err := range c.Events(t.Context(), "a", nil) {
		require.NoError(t, err)
		all = append(all, e)
	}
	require.Len(t, all, 5)
	require.Equal(t, StatusChanged, all[0].Kind)
	require.Equal(t, Event{Kind: LogLine, Job: "a", Time: all[1].Time, Status: Running, File: std, Line: "one", Cursor: all[1].Cursor}, all[1])
	require.Equal(t, Completed, all[4].Status)
	for i := range all {
		j.set(Running)
		if i == len(all)-1 {
			j.set(Completed)
		}
		var rest []Event
		for e, err := range c.Events(t.Context(), "a", &EventsOptions{After: all[i].Cursor.String()}) {
			require.NoError(t, err)
			rest = append(rest, e)
		}
		require.Len(t, rest, len(all)-1-i, "after event %d", i)
		for k, e := range rest {
			require.Equal(t, all[i+1+k].Line, e.Line)
			require.Equal(t, all[i+1+k].Status, e.Status)
		}
	}
	for _, bad := range []string{"x", "e30", all[0].Cursor.String() + "!"} {
		for _, err := range c.Events(t.Context(), "a", &EventsOptions{After: bad}) {
			require.ErrorContains(t, err, "cursor")
		}
	}
	for _, err := range c.Events(t.Context(), "b", &EventsOptions{After: all[0].Cursor.String()}) {
		require.ErrorContains(t, err, "another job")
	}
}

func TestWait(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Queued)
	j.write(std, "line 1\nline 2\nboom\n")
	c, clk := w.client()
	step := 0
	clk.onStep = func(time.Time) {
		if step++; step == 3 {
			j.mu.Lock()
			j.err = map[string]any{"error": map[string]any{"code": "UserError", "message": "outer", "details": []any{map[string]any{"message": "exit code 1"}}}}
			j.mu.Unlock()
			j.set(Failed)
		}
	}
	var states []Status
	run, err := c.Wait(t.Context(), "a", &WaitOptions{LogLines: 2, Status: func(s Status) { states = append(states, s) }})
	var failed *FailedError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, run, failed.Run)
	require.Equal(t, Failed, run.Status)
	require.Equal(t, time.Minute, run.Duration(clk.Now()))
	require.Equal(t, []string{"line 2", "boom"}, failed.Log)
	require.Equal(t, std, failed.LogFile)
	require.Equal(t, []Status{Queued, Failed}, states)
	var cause *Error
	require.ErrorAs(t, err, &cause)
	require.Equal(t, "exit code 1", cause.Message)
	require.Contains(t, err.Error(), "exit code 1")
	require.Contains(t, err.Error(), "boom")
	require.False(t, errors.Is(err, ErrCanceled))

	j.set(Canceled)
	_, err = c.Wait(t.Context(), "a", nil)
	require.ErrorIs(t, err, ErrCanceled)
	j.set(Completed)
	run, err = c.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Equal(t, Completed, run.Status)
}

// A job that run history has not heard of is waited for.
func TestWaitBeforeHistoryKnows(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", NotStarted)
	details := w.on["GET "+testHistory+"/runs/a/details"]
	w.handle("GET "+testHistory+"/runs/a/details", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNotFound) })
	c, clk := w.client()
	step := 0
	clk.onStep = func(time.Time) {
		switch step++; step {
		case 2:
			w.handle("GET "+testHistory+"/runs/a/details", details)
		case 3:
			j.set(Completed)
		}
	}
	run, err := c.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Equal(t, Completed, run.Status)
}

// Run history knows the end of a job before the resource manager does.
func TestWaitBeforeTheResourceManagerKnows(t *testing.T) {
	w := newWorld(t)
	j := w.job("a", Running)
	c, clk := w.client()
	clk.onStep = func(time.Time) {
		j.set(Completed)
		w.answer("GET "+testWorkspace+"/jobs/a", map[string]any{"id": testWorkspace + "/jobs/a", "name": "a", "properties": map[string]any{
			"jobType": "Command", "status": "Finalizing", "command": "x", "environmentId": "e",
		}})
	}
	run, err := c.Wait(t.Context(), "a", nil)
	require.NoError(t, err)
	require.Equal(t, Completed, run.Status)
}
