package serving

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const (
	// maxPending is how many bytes of payloads wait for the storage; what comes on top is dropped and counted.
	maxPending = 64 << 20
	// lastWords is how long a deployment that ends waits for the calls that are under way.
	lastWords = 2 * time.Second
)

// sink writes what a deployment collects, behind the calls: none of them waits for the storage.
type sink struct {
	*collecting
	blobs  *blob.Service
	clock  func() time.Time
	log    *logFile
	source string // the deployment's id
	id     string // of the files, a new one at each start

	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex
	pending []*event
	size    int
	dropped map[string]int
	calls   int
	closed  bool
	idle    chan struct{} // closed when closed, and no call is under way

	files map[*collection]*rolled // the writer's own
}

// rolled is the file that a collection is written to at present.
type rolled struct {
	*os.File
	name string
}

func newSink(c *collecting, blobs *blob.Service, clock func() time.Time, log *logFile, source string) *sink {
	s := &sink{
		collecting: c, blobs: blobs, clock: clock, log: log, source: source, id: uuid.NewString(), wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		dropped: map[string]int{}, idle: make(chan struct{}), files: map[*collection]*rolled{},
	}
	go s.write()
	return s
}

// enter tells of a call whose payloads come. It is false when nothing is collected any more.
func (s *sink) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.calls++
	return true
}

func (s *sink) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls--; s.closed && s.calls == 0 {
		close(s.idle)
	}
}

// add passes an event on. It never waits.
func (s *sink) add(e *event) {
	s.mu.Lock()
	const event = 1 << 10 // about what one needs besides its payload
	if n := len(e.body) + event; s.pending != nil && s.size+n > maxPending {
		s.dropped[e.to.name]++
	} else {
		s.pending = append(s.pending, e)
		s.size += n
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close writes what is there and returns when it is in the storage.
func (s *sink) close() {
	s.mu.Lock()
	s.closed = true
	if s.calls == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	t := time.NewTimer(lastWords)
	defer t.Stop()
	select {
	case <-s.idle:
	case <-t.C:
	}
	close(s.stop)
	<-s.done
}

// write is the writer: it takes what has come until there is no more.
func (s *sink) write() {
	defer close(s.done)
	for more := true; more; {
		select {
		case <-s.wake:
		case <-s.stop:
			more = false
		}
		s.mu.Lock()
		events, dropped := s.pending, s.dropped
		s.pending, s.size, s.dropped = nil, 0, map[string]int{}
		s.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(dropped)) {
			s.log.line("data collector: %d payloads of %s were dropped: they came faster than they could be written", dropped[name], name)
		}
		s.keep(context.Background(), events)
	}
	for c := range s.files {
		s.finish(context.Background(), c)
	}
}

// keep appends events to their collections, each file once.
func (s *sink) keep(ctx context.Context, events []*event) {
	type place struct {
		to     *collection
		folder string
	}
	lines := map[place]*bytes.Buffer{}
	var order []place
	for _, e := range events {
		if e.rows != nil {
			var err error
			if e.body, err = e.rows(e.body); err != nil {
				s.log.line("data collector: nothing of a call is kept in %s: %v", e.to.name, err)
				continue
			}
		}
		p := place{e.to, e.at.Format(s.layout)}
		at, err := s.aside(ctx, e, p.folder)
		if err != nil {
			s.log.line("data collector: a payload of %s is lost: %v", e.to.name, err)
			continue
		}
		if lines[p] == nil {
			lines[p] = &bytes.Buffer{}
			order = append(order, p)
		}
		lines[p].Write(e.line(s.source, at))
	}
	for _, p := range order {
		if err := s.append(ctx, p.to, p.folder, lines[p].Bytes()); err != nil {
			s.log.line("data collector: payloads of %s are lost: %v", p.to.name, err)
		}
	}
}

// aside writes a payload that no line holds beside the collections, and gives its address.
func (s *sink) aside(ctx context.Context, e *event, folder string) (string, error) {
	if !e.beside() {
		return "", nil
	}
	name := path.Join(path.Dir(strings.Trim(e.to.at.Path, "/")), folder, e.id)
	o := &blob.PutOptions{ContentType: e.contentType}
	if _, err := s.blobs.Put(ctx, e.to.at.Account, e.to.at.Container, name, bytes.NewReader(e.body), o); err != nil {
		return "", err
	}
	return arm.BlobURL(e.to.at.Account, e.to.at.Container, name), nil
}

func (s *sink) append(ctx context.Context, c *collection, folder string, text []byte) error {
	name := path.Join(strings.Trim(c.at.Path, "/"), folder, s.id+".jsonl")
	f := s.files[c]
	if f != nil {
		if f.name != name {
			s.finish(ctx, c)
			f = nil
		} else if _, err := s.blobs.Stat(ctx, c.at.Account, c.at.Container, name); errors.Is(err, store.ErrNotFound) { // somebody has cleaned up
			f.Close() //nolint:errcheck // its content is gone
			f = nil
		}
	}
	if f == nil {
		file, err := s.blobs.Live(ctx, c.at.Account, c.at.Container, name)
		if err != nil {
			return err
		}
		f = &rolled{file, name}
		s.files[c] = f
	}
	_, err := f.Write(text)
	return err
}

// finish fixes the file that a collection was written to.
func (s *sink) finish(ctx context.Context, c *collection) {
	f := s.files[c]
	delete(s.files, c)
	err := f.Close()
	if e := s.blobs.Finish(ctx, c.at.Account, c.at.Container, f.name); !errors.Is(e, store.ErrNotFound) {
		err = errors.Join(err, e)
	}
	if err != nil {
		s.log.line("data collector: %s: %v", f.name, err)
	}
}
