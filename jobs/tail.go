package jobs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxLine is how much of a line is held back for its end: a program that prints no line breaks is
// shown in pieces of this size.
const maxLine = 1 << 20

// tail turns the bytes of one growing log file into lines. Nothing of a last line that is still being
// written is given out before its end is known.
type tail struct {
	read    int64 // bytes taken in
	partial []byte
}

// shown is the position after the last line given out: where a later follower has to begin.
func (t *tail) shown() int64 { return t.read - int64(len(t.partial)) }

// feed takes the next bytes and calls emit for each line they complete, until it says no.
func (t *tail) feed(b []byte, emit func(line string, end int64) bool) bool {
	t.read += int64(len(b))
	t.partial = append(t.partial, b...)
	for {
		i := bytes.IndexByte(t.partial, '\n')
		var line string
		switch {
		case i >= 0:
			line, i = strings.TrimSuffix(string(t.partial[:i]), "\r"), i+1
		case len(t.partial) < maxLine:
			return true
		default: // a piece of a line, which loses no byte
			i = wholeLetters(t.partial[:maxLine])
			line = string(t.partial[:i])
		}
		t.partial = t.partial[i:]
		if len(t.partial) == 0 {
			t.partial = nil
		}
		if !emit(line, t.shown()) {
			return false
		}
	}
}

// wholeLetters is how much of b has no letter in UTF-8 that goes on after its end.
func wholeLetters(b []byte) int {
	for n := 1; n < utf8.UTFMax && n < len(b); n++ {
		if end := b[len(b)-n:]; utf8.RuneStart(end[0]) {
			if !utf8.FullRune(end) {
				return len(b) - n
			}
			break
		}
	}
	return len(b)
}

// flush gives out a last line that has no line break, once the file is known to be complete.
func (t *tail) flush(emit func(line string, end int64) bool) bool {
	if len(t.partial) == 0 {
		return true
	}
	line := strings.TrimSuffix(string(t.partial), "\r")
	t.partial = nil
	return emit(line, t.shown())
}

// restart begins the file again: it was replaced by a shorter one.
func (t *tail) restart() { *t = tail{} }

// Names of log files. The first pattern is what a person follows: of a job on many nodes the first
// process only. The others are where jobs of the older runtime keep theirs.
var (
	streamLogs   = regexp.MustCompile(`^user_logs/std_log[\D]*[0]*(?:_ps)?\.txt`)
	userLogs     = regexp.MustCompile(`^user_logs/std_log.*\.txt`)
	commandLogs  = regexp.MustCompile(`^azureml-logs/[\d]{2}.+\.txt`)
	pipelineLogs = regexp.MustCompile(`^logs/azureml/executionlogs\.txt`)
	sweepLogs    = regexp.MustCompile(`^azureml-logs/hyperdrive\.txt`)
)

// selectLogs gives those of a job's files that are to be shown, in order: the streamable ones, or with
// every the ones of all processes; the older runtime's where there are none.
func selectLogs[V any](files map[string]V, kind string, every bool) []string {
	pick := func(p *regexp.Regexp) []string {
		var out []string
		for name := range files {
			if p.MatchString(name) {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out
	}
	p := streamLogs
	if every {
		p = userLogs
	}
	if out := pick(p); len(out) > 0 {
		return out
	}
	switch strings.ToLower(kind) {
	case "command":
		return pick(commandLogs)
	case "pipeline":
		return pick(pipelineLogs)
	case "sweep":
		return pick(sweepLogs)
	}
	return nil
}
