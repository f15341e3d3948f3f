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
	PhaseDownload Phase = "download" // bytes come in
)

// Progress is how far a transfer is. Callbacks get it one at a time, and should return soon.
type Progress struct {
	Phase      Phase
	Bytes      int64 // done
	TotalBytes int64
	Files      int // done
	TotalFiles int
	Elapsed    time.Duration // since the phase began
}

// progress counts for a callback.
type progress struct {
	mu    sync.Mutex
	f     func(Progress)
	now   func() time.Time
	start time.Time
	p     Progress
}

func newProgress(f func(Progress), now func() time.Time) *progress { return &progress{f: f, now: now} }

// begin starts a phase.
func (p *progress) begin(phase Phase, files int, bytes int64) {
	if p.f == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start = p.now()
	p.p = Progress{Phase: phase, TotalFiles: files, TotalBytes: bytes}
	p.f(p.p)
}

// add counts what is done.
func (p *progress) add(files int, bytes int64) {
	if p.f == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p.Files += files
	p.p.Bytes += bytes
	p.p.Elapsed = p.now().Sub(p.start)
	p.f(p.p)
}
