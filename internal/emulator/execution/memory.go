package execution

import (
	"context"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// memory keeps what one check has read already: the steps of a pipeline share
// codes, environments and addresses.
type memory struct {
	mu           sync.Mutex
	places       map[[2]string]place
	environments map[string]*arm.Error
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
	return context.WithValue(ctx, memoryKey{}, &memory{places: map[[2]string]place{}, environments: map[string]*arm.Error{}})
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
	k := [2]string{uri, kind}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.places[k]
	if !ok {
		p.loc, p.err = e.Resolver.Resolve(ctx, sc, uri, kind)
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
			return f
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
	return fault
}
