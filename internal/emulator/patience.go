package emulator

import (
	"io"
	"net/http"
	"time"
)

const (
	// bodyPatience is how long a request's body may bring nothing before its connection is given up.
	bodyPatience = 30 * time.Second
	// patienceStep is how often the deadline is moved while something comes.
	patienceStep = time.Second
)

// impatient bounds the waits for a request's body, also those of the HTTP server, which reads what a refused request still sends: otherwise whoever sends one byte and stops
// holds a connection for ever, without a token.
func impatient(w http.ResponseWriter, r *http.Request, patience time.Duration) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	b := &patientBody{ReadCloser: r.Body, control: http.NewResponseController(w), patience: patience}
	if !b.extend(time.Now()) {
		return r
	}
	c := *r
	c.Body = b
	return &c
}

// patientBody moves its connection's deadline while it is read.
type patientBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	moved    time.Time
	ended    bool
}

func (b *patientBody) extend(now time.Time) bool {
	b.moved = now
	return b.control.SetReadDeadline(now.Add(b.patience)) == nil
}

func (b *patientBody) Read(p []byte) (int, error) {
	if now := time.Now(); !b.ended && now.Sub(b.moved) > min(patienceStep, b.patience/4) {
		b.extend(now)
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && !b.ended {
		// The connection is watched for its end from here on, for as long as the answer takes.
		b.ended = true
		if err == io.EOF {
			_ = b.control.SetReadDeadline(time.Time{}) // a connection that is gone has no deadline to lift
		}
	}
	return n, err
}
