package assets

import (
	"sync"
	"time"
)

// A Phase is what a transfer is doing.
type Phase string

// The phases, in their order.
const (
	PhaseHash     Phase = "hash"     // the local files are listed and hashed
	PhaseUpload   Phase = "upload"   // bytes go out
	PhaseConfirm  Phase = "confirm"  // the upload is marked as complete
	PhaseDelete   Phase = "delete"   // what is gone here is deleted there
	PhaseDownload Phase = "download" // bytes come in
)

// Progress is how far a transfer is. Callbacks get it one at a time, and should return soon. Bar makes one for a terminal.
type Progress struct {
	Phase      Phase
	Bytes      int64 // done; what was there already counts
	TotalBytes int64
	Files      int // done
	TotalFiles int
	Elapsed    time.Duration // since the phase began
	Rate       float64       // bytes per second, of late
}

// Done is set on the last call of a phase.
func (p Progress) Done() bool { return p.Files >= p.TotalFiles && p.Bytes >= p.TotalBytes }

// rateWindow is how far back a rate looks.
const rateWindow = 5 * time.Second

// progress counts for a callback.
type progress struct {
	mu    sync.Mutex
	f     func(Progress)
	now   func() time.Time
	start time.Time
	p     Progress

	// marks are points of the last seconds, four a second: the rate is over the time since the first.
	marks []mark
}

type mark struct {
	at    time.Duration
	bytes int64
}

func newProgress(f func(Progress), now func() time.Time) *progress { return &progress{f: f, now: now} }

// begin starts a phase.
func (p *progress) begin(phase Phase, files int, bytes int64) {
	if p == nil || p.f == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start = p.now()
	p.p = Progress{Phase: phase, TotalFiles: files, TotalBytes: bytes}
	p.marks = append(p.marks[:0], mark{})
	p.f(p.p)
}

// add counts what is done.
func (p *progress) add(files int, bytes int64) {
	if p == nil || p.f == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p.Files += files
	p.p.Bytes += bytes
	p.p.Elapsed = p.now().Sub(p.start)
	p.p.Rate = p.rate()
	if p.p.Phase == PhaseHash && p.p.Done() { // more than one digest may be at work: end says it
		return
	}
	p.f(p.p)
}

// end tells that a phase is over, whatever was counted.
func (p *progress) end() {
	if p == nil || p.f == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p.Files, p.p.Bytes = p.p.TotalFiles, p.p.TotalBytes
	p.p.Elapsed = p.now().Sub(p.start)
	p.p.Rate = p.rate()
	p.f(p.p)
}

func (p *progress) rate() float64 {
	at := p.p.Elapsed
	if last := p.marks[len(p.marks)-1]; at-last.at >= rateWindow/20 {
		p.marks = append(p.marks, mark{at, p.p.Bytes})
	}
	for len(p.marks) > 2 && at-p.marks[1].at >= rateWindow {
		p.marks = p.marks[1:]
	}
	first := p.marks[0]
	if at <= first.at {
		return 0
	}
	return max(0, float64(p.p.Bytes-first.bytes)/(at-first.at).Seconds())
}
