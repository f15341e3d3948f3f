package execution

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// scorer is a running process that scores mini-batches.
type scorer struct {
	proc    running
	in      *os.File // its standard input
	out     *os.File // its answers
	answers chan scored
	quit    chan struct{}
}

// scored is one line of a scorer's: that it is ready, or a mini-batch's result.
type scored struct {
	Ready   bool     `json:"ready"`
	Results []string `json:"results"`
	Count   *int     `json:"count"` // how many items were scored; as many as there are results when it is not said
	Items   *int     `json:"items"` // how many there were, where only the scorer knows
	Error   string   `json:"error"`
	Trace   string   `json:"trace"`

	broken error // the line could not be read
}

func (s *scored) count() int {
	if s.Count != nil {
		return *s.Count
	}
	return len(s.Results)
}

// startScorer starts a process whose standard input and output carry the
// protocol.
func startScorer(spec process.Spec, start func(process.Spec) (running, error)) (*scorer, error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inR.Close(), inW.Close())
	}
	spec.Stdin, spec.Stdout = inR, outW
	p, err := start(spec)
	// The child has its own ends by now; ours would keep the pipes open.
	err = errors.Join(err, inR.Close(), outW.Close())
	if err != nil {
		if p != nil {
			p.Terminate(0)
		}
		return nil, errors.Join(err, inW.Close(), outR.Close())
	}
	s := &scorer{proc: p, in: inW, out: outR, answers: make(chan scored), quit: make(chan struct{})}
	go s.read()
	return s, nil
}

func (s *scorer) read() {
	defer close(s.answers)
	r := bufio.NewReader(s.out)
	for {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var a scored
			if jerr := json.Unmarshal(line, &a); jerr != nil {
				if len(line) > 200 {
					line = line[:200]
				}
				a = scored{broken: fmt.Errorf("it wrote a line that is not of the protocol: %q", bytes.TrimSpace(line))}
			}
			select {
			case s.answers <- a:
			case <-s.quit:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errTooLong = errors.New("too long")

// next waits for an answer. Errors: errTooLong, the cause of ctx, or how the
// process ended.
func (s *scorer) next(ctx context.Context, limit time.Duration) (*scored, error) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case a, ok := <-s.answers:
		if !ok {
			return nil, fmt.Errorf("the process %s", s.proc.Wait())
		}
		return &a, a.broken
	case <-t.C:
		return nil, errTooLong
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// score has a mini-batch scored.
func (s *scorer) score(ctx context.Context, b *miniBatch, limit time.Duration) (*scored, error) {
	line, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	wrote := make(chan error, 1)
	go func() { // a process that does not read must not hold its caller
		_, err := s.in.Write(append(line, '\n'))
		wrote <- err
	}()
	a, err := s.next(ctx, limit)
	if err != nil {
		return nil, err // the caller ends the process, which ends the write
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case err := <-wrote:
		return a, err
	case <-t.C:
		return nil, errTooLong
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// end lets the process finish by itself: its input ends, and it has grace to
// shut down.
func (s *scorer) end(ctx context.Context, grace time.Duration) process.State {
	_ = s.in.Close() // that the input ends is all that is wanted
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-s.proc.Done():
	case <-ctx.Done():
		s.proc.Terminate(grace)
	case <-t.C:
		s.proc.Terminate(grace)
	}
	return s.gone()
}

// kill ends the process now.
func (s *scorer) kill(grace time.Duration) {
	s.proc.Terminate(grace)
	_ = s.in.Close() // the process is gone
	s.gone()
}

// gone frees what is left of a process that has ended.
func (s *scorer) gone() process.State {
	st := s.proc.Wait()
	close(s.quit)
	_ = s.out.Close() // nobody writes to it any more
	for range s.answers {
	}
	return st
}
