package store

import (
	"context"
	"database/sql/driver"
	"errors"
)

// Statements that a connection keeps compiled. What the packages above send is a
// fixed set of texts, so that the limit is rarely met; when it is, everything is
// compiled anew.
const (
	cachedStatements = 256
	cachedLength     = 4096 // bytes; longer texts are scripts
)

// cachingConnector opens connections that keep their statements compiled, which
// halves the price of small updates.
type cachingConnector struct {
	driver.Connector
	// uninterrupted takes the cancellation off the contexts of statements: an
	// interrupted write makes SQLite give up the whole transaction, which here
	// belongs to several callers.
	uninterrupted bool
}

// sqliteConn is what a connection of modernc.org/sqlite can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

func (c *cachingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := raw.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: the SQLite driver lacks the context methods"), raw.Close())
	}
	return &cachingConn{sqliteConn: conn, uninterrupted: c.uninterrupted, cached: map[string]*statement{}}, nil
}

// cachingConn is used by one goroutine at a time, as database/sql promises.
type cachingConn struct {
	sqliteConn
	uninterrupted bool
	cached        map[string]*statement
}

type statement struct {
	driver.Stmt
	busy bool // its rows are being read
}

func (c *cachingConn) context(ctx context.Context) context.Context {
	if c.uninterrupted {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// statement returns the compiled form of a text, or nil when it has none to give:
// the text is too long, or its rows are being read further up.
func (c *cachingConn) statement(ctx context.Context, text string) (*statement, error) {
	if s := c.cached[text]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(text) > cachedLength {
		return nil, nil
	}
	if len(c.cached) >= cachedStatements {
		if err := c.forget(); err != nil {
			return nil, err
		}
	}
	raw, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: raw}
	c.cached[text] = s
	return s, nil
}

// forget drops the statements that are not in use.
func (c *cachingConn) forget() error {
	var errs []error
	for text, s := range c.cached {
		if !s.busy {
			errs = append(errs, s.Close())
			delete(c.cached, text)
		}
	}
	return errors.Join(errs...)
}

func (c *cachingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	ctx = c.context(ctx)
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, text, args)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (c *cachingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	ctx = c.context(ctx)
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, text, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &cachedRows{Rows: rows, s: s}, nil
}

func (c *cachingConn) Close() error {
	var errs []error
	for _, s := range c.cached {
		errs = append(errs, s.Close())
	}
	c.cached = nil
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// cachedRows frees its statement for the next query when it is closed.
type cachedRows struct {
	driver.Rows
	s *statement
}

func (r *cachedRows) Close() error {
	r.s.busy = false
	return r.Rows.Close()
}
