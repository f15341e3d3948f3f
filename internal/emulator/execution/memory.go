package execution

import (
	"context"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// memory keeps what one check has read already: the steps of a pipeline share
// codes, environments and addresses.
type memory struct {
	mu           sync.Mutex
	places       map[[2]string]place
	environments map[string]*arm.Error
	read         map[string]*Environment
	empty        map[string]bool          // addresses of folders that steps left empty
	outputs      map[string]*arm.Location // of the default datastore, by the beginning of its addresses
	computes     map[string]machine
}

// machine is what a check wants to know of a compute.
type machine struct {
	size  int  // its nodes, as Slots says them
	spark bool // runs Spark jobs alone
}

// machine reads a compute.
func (e *Engine) machine(ctx context.Context, sc arm.Scope, compute string) machine {
	m := memoryOf(ctx)
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if c, ok := m.computes[compute]; ok {
			return c
		}
	}
	c := machine{size: e.Slots(sc, compute), spark: e.SparkPool != nil && e.SparkPool(sc, compute)}
	if m != nil {
		m.computes[compute] = c
	}
	return c
}

type place struct {
	loc *arm.Location
	err error
}

type memoryKey struct{}

// withMemory is a context whose checks share one memory.
func withMemory(ctx context.Context) context.Context {
	if ctx.Value(memoryKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, memoryKey{}, &memory{places: map[[2]string]place{}, environments: map[string]*arm.Error{}, read: map[string]*Environment{}, empty: map[string]bool{}, outputs: map[string]*arm.Location{}, computes: map[string]machine{}})
}

func memoryOf(ctx context.Context) *memory {
	m, _ := ctx.Value(memoryKey{}).(*memory)
	return m
}

// resolve is the resolver's, with the context's memory.
func (e *Engine) resolve(ctx context.Context, sc arm.Scope, uri, kind string) (*arm.Location, error) {
	m := memoryOf(ctx)
	if m == nil {
		return e.Resolver.Resolve(ctx, sc, uri, kind)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if prefix := sc.DatastoreURI(arm.BlobStore, "azureml/"); strings.HasPrefix(uri, prefix) {
		base, ok := m.outputs[prefix]
		if !ok {
			var err error
			if base, err = e.Resolver.Resolve(ctx, sc, prefix, kind); err != nil {
				return nil, err
			}
			m.outputs[prefix] = base
		}
		loc := *base
		loc.Path += strings.TrimPrefix(uri, prefix)
		return &loc, nil
	}
	k := [2]string{uri, kind}
	p, ok := m.places[k]
	if !ok {
		p.loc, p.err = e.Resolver.Resolve(ctx, sc, uri, kind)
		if ctx.Err() != nil {
			return p.loc, p.err
		}
		m.places[k] = p
	}
	return p.loc, p.err
}

// environmentFault says what is wrong with an environment of a job.
func (e *Engine) environmentFault(ctx context.Context, sc arm.Scope, id string) *arm.Error {
	m := memoryOf(ctx)
	if m != nil {
		m.mu.Lock()
		f, ok := m.environments[id]
		m.mu.Unlock()
		if ok {
			return copied(f)
		}
	}
	var fault *arm.Error
	if id == "" {
		fault = arm.Invalid("properties.environmentId", "an environment is required")
	} else if env, err := e.environment(ctx, sc, id); err != nil {
		fault = arm.As(at("properties.environmentId", err))
	} else {
		fault = e.Environments.Check(env)
	}
	if m != nil {
		m.mu.Lock()
		m.environments[id] = fault
		m.mu.Unlock()
	}
	return copied(fault)
}

// copied is an error that its receiver may put under a step of its own.
func copied(f *arm.Error) *arm.Error {
	if f == nil {
		return nil
	}
	c := *f
	return &c
}

// noteEmpty says that a step put nothing at an address of its own. Both are
// nothing without a memory.
func (m *memory) noteEmpty(uri string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.empty[uri] = true
}

func (m *memory) isEmpty(uri string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.empty[uri]
}
