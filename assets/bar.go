package assets

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	barWidth = 24
	// barPause is the least time between two drawings.
	barPause = 100 * time.Millisecond
)

// Bar gives a callback that shows the progress of transfers as one line that is drawn over and over, a line for each phase:
//
//	upload   [=========>              ] 812/2000 files, 31.2/76.0 MB, 48.1 MB/s
//
// When w is not a terminal it writes nothing. Phases that end at once are not shown.
func Bar(w io.Writer) func(Progress) {
	if f, ok := w.(*os.File); !ok || !terminal(f) {
		return func(Progress) {}
	}
	return newBar(w).show
}

// terminal says whether a file is one: a device of characters.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// bar draws. Several transfers may tell it of theirs at once.
type bar struct {
	w     io.Writer
	mu    sync.Mutex
	drawn time.Duration // when in the phase
	width int           // of the line that stands there; 0 when there is none
}

func newBar(w io.Writer) *bar { return &bar{w: w} }

func (b *bar) show(p Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case p.Elapsed == 0: // a phase begins
		b.end()
		b.drawn = 0
		return
	case p.Done() && b.width == 0:
		return // it took no time worth a line
	case !p.Done() && p.Elapsed-b.drawn < barPause:
		return
	}
	b.drawn = p.Elapsed
	line := p.line()
	pad := max(0, b.width-utf8.RuneCountInString(line))
	fmt.Fprintf(b.w, "\r%s%s", line, strings.Repeat(" ", pad)) //nolint:errcheck // a picture on a terminal
	b.width = utf8.RuneCountInString(line)
	if p.Done() {
		b.end()
	}
}

func (b *bar) end() {
	if b.width > 0 {
		fmt.Fprintln(b.w) //nolint:errcheck // a picture on a terminal
		b.width = 0
	}
}

// line is the progress in one line.
func (p Progress) line() string {
	part := 1.0
	switch {
	case p.TotalBytes > 0:
		part = float64(p.Bytes) / float64(p.TotalBytes)
	case p.TotalFiles > 0:
		part = float64(p.Files) / float64(p.TotalFiles)
	}
	n := int(min(1, max(0, part)) * barWidth)
	arrow := strings.Repeat("=", n)
	if n < barWidth {
		arrow += ">" + strings.Repeat(" ", barWidth-n-1)
	}
	line := fmt.Sprintf("%-8s [%s] %d/%d files", p.Phase, arrow, p.Files, p.TotalFiles)
	if p.TotalBytes > 0 {
		line += fmt.Sprintf(", %.1f/%.1f MB", float64(p.Bytes)/(1<<20), float64(p.TotalBytes)/(1<<20))
	}
	if p.Rate > 0 {
		line += fmt.Sprintf(", %.1f MB/s", p.Rate/(1<<20))
	}
	return line
}
