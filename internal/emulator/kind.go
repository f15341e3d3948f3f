package emulator

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// kind is how one sort of resource is kept. Its functions may be nil.
type kind struct {
	word     string   // in messages: "datastore"
	parent   string   // word of the resource above, when it must exist: "online endpoint"
	envelope []string // fields beside properties that the caller may set
	state    bool     // properties.provisioningState is answered
	bare     bool     // properties may be left out
	put      style
	patch    style
	del      style
	newest   bool // lists begin with the newest
	plainOK  bool // a first PUT answers 200, not 201

	// check refuses what ARM would refuse, and completes the document.
	check func(c *call, ch *change) error
	// frozen refuses a change of what cannot be changed. It is asked again inside the transaction.
	frozen func(old, doc document) error
	// before does what must be there before the document is: storage.
	before func(c *call, ch *change) error
	// stored writes further documents in the same transaction.
	stored func(c *call, tx *sql.Tx, ch *change) error
	// after does what follows from the document, once it is durable.
	after func(c *call, ch *change)
	// work is what an operation on the document does, nil for none; provisioningState says how it ended.
	work func(c *call, ch *change) func(ctx context.Context) error
	// removing refuses a removal, or gives work that comes before it.
	removing func(c *call, id arm.ID, old document) (func(ctx context.Context) error, error)
	// removed follows a removal, in its transaction.
	removed func(c *call, tx *sql.Tx, id arm.ID) error
	// show completes what is answered.
	show func(c *call, d document) (document, error)
	// absent is a document that is shown though it is not stored; nil for none. behind are those at the end of a list.
	absent func(c *call, id arm.ID) document
	behind func(c *call, id arm.ID) []document
	// filter is what a list's parameters ask for.
	filter func(c *call) (func(document) (bool, error), error)
}

// change is a document about to be written. old is nil when it is new.
type change struct {
	id       arm.ID
	old, doc document
	patch    bool
	secret   map[string]any // given with the document and kept apart from it
}

// id is the resource that the path names, in canonical spelling; of a collection its last name is empty.
func (c *call) id() (arm.ID, error) {
	id, err := arm.ParseID(c.path())
	if err != nil {
		return arm.ID{}, arm.BadRequest("InvalidRequestUri", "%s", err)
	}
	if c.sc.Workspace != "" && len(id.Segments) > 0 && id.Segments[0].Collection == arm.Workspaces {
		id.Subscription, id.ResourceGroup = c.sc.Subscription, c.sc.ResourceGroup
		id.Segments[0].Name = c.sc.Workspace
	}
	return id, nil
}

// called is a resource's name in messages: a version's with its asset.
func called(id arm.ID) string {
	if id.Segments[len(id.Segments)-1].Collection == arm.Versions {
		return id.Parent().Name() + ":" + id.Name()
	}
	return id.Name()
}

// load reads a document with its etag.
func (s *Server) load(ctx context.Context, id string) (*store.Document, document, error) {
	d, err := s.stored(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	doc, err := read(d)
	return d, doc, err
}

func (s *Server) stored(ctx context.Context, id string) (d *store.Document, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) (err error) {
		d, err = store.Get(tx, id)
		return err
	})
	return d, err
}

// find is load with the error that a caller is told.
func (c *call) find(id, word, name string) (document, error) {
	d, err := c.s.get(c.ctx(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, arm.NotFound(word, name)
	}
	return d, err
}

func (k *kind) present(c *call, d document) (document, error) {
	if k.show != nil {
		var err error
		if d, err = k.show(c, d); err != nil {
			return nil, err
		}
	}
	if k.state {
		if o := c.s.running(d.text("id")); o != nil && (o.State == "Creating" || o.State == "Updating" || o.State == "Deleting") {
			d.props()["provisioningState"] = o.State
		}
	}
	return c.frontEnd(d), nil
}

// frontEnd gives the assets of a registry the ids that its front end says: azureml://registries/….
func (c *call) frontEnd(d document) document {
	if !c.mfe {
		return d
	}
	id, err := arm.ParseID(d.text("id"))
	if err != nil || len(id.Inner()) == 0 {
		return d
	}
	r, ok := id.Registry()
	if !ok {
		return d
	}
	at := "azureml://registries/" + r
	for _, g := range id.Inner() {
		at += "/" + g.Collection + "/" + g.Name
	}
	d["id"] = at
	return d
}

func (k *kind) get(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	s, d, err := c.s.load(c.ctx(), id.String())
	if errors.Is(err, store.ErrNotFound) {
		if k.absent != nil {
			if d := k.absent(c, id); d != nil {
				return c.reply(http.StatusOK, c.frontEnd(d))
			}
		}
		return arm.NotFound(k.word, called(id))
	}
	if err != nil {
		return err
	}
	if d, err = k.present(c, d); err != nil {
		return err
	}
	c.w.Header().Set("ETag", s.ETag)
	return c.reply(http.StatusOK, d)
}

func (k *kind) list(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := k.under(c, id); err != nil {
		return err
	}
	l := listing{parent: id.Parent().String(), typ: id.Type(), newest: k.newest, show: func(d document) (document, error) { return k.present(c, d) }}
	if k.filter != nil {
		if l.keep, err = k.filter(c); err != nil {
			return err
		}
	}
	if k.behind != nil {
		l.extra = k.behind(c, id)
		l.last = c.frontEnd
	}
	return c.list(l)
}

// under refuses a resource whose parent is not there.
func (k *kind) under(c *call, id arm.ID) error {
	if k.parent == "" {
		return nil
	}
	up := id.Parent()
	_, err := c.find(up.String(), k.parent, up.Name())
	return err
}

func (k *kind) create(c *call) error { return k.write(c, false) }
func (k *kind) update(c *call) error { return k.write(c, true) }

func (k *kind) write(c *call, patch bool) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	body, err := c.document()
	if err != nil {
		return err
	}
	if err := k.under(c, id); err != nil {
		return err
	}
	return k.save(c, id, body, patch)
}

// save checks and stores a document and answers.
func (k *kind) save(c *call, id arm.ID, body document, patch bool) error {
	_, old, err := c.s.load(c.ctx(), id.String())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	ch := &change{id: id, old: old, doc: body, patch: patch}
	how := k.put
	switch {
	case patch && old == nil:
		return arm.NotFound(k.word, called(id))
	case patch:
		how = k.patch
		body.only(append([]string{"properties"}, k.envelope...)...)
		ch.doc = old.clone()
		merge(ch.doc, body)
	case old == nil:
		if err := nameOf(id.Segments[len(id.Segments)-1].Collection, id.Name()); err != nil {
			return err
		}
	}
	ch.doc.only(append([]string{"properties"}, k.envelope...)...)
	if _, ok := ch.doc["properties"].(map[string]any); !ok && !(k.bare && ch.doc["properties"] == nil) {
		return arm.Invalid("properties", "The field properties is required and must be an object.")
	}
	if old != nil {
		if err := c.s.errBusy(old.text("id")); err != nil {
			return err
		}
	}
	if k.check != nil {
		if err := k.check(c, ch); err != nil {
			return err
		}
	}
	if old != nil && k.frozen != nil {
		if err := k.frozen(old, ch.doc); err != nil {
			return err
		}
	}
	if k.before != nil {
		if err := k.before(c, ch); err != nil {
			return err
		}
	}
	return k.commit(c, ch, how)
}

// commit stores a checked change, begins its operation, and answers.
func (k *kind) commit(c *call, ch *change, how style) error {
	state := "Updating"
	if ch.old == nil {
		state = "Creating"
	}
	var do func(ctx context.Context) error
	if k.work != nil {
		do = k.work(c, ch)
	}
	o := c.newOperation(ch.id.String(), state)
	o.Work = do != nil
	if k.state {
		ch.doc.props()["provisioningState"] = "Succeeded"
		if o.Work {
			ch.doc.props()["provisioningState"] = state
		}
	}
	long := how != styleNone && !o.instant()
	if do != nil && !c.s.claim(o) {
		return busy(ch.id.String())
	}
	var sd *store.Document
	created := false
	err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		was, err := store.Get(tx, ch.id.String())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := c.precondition(was); err != nil {
			return err
		}
		var old document
		if was != nil {
			if old, err = read(was); err != nil {
				return err
			}
			if k.frozen != nil {
				if err := k.frozen(old, ch.doc); err != nil {
					return err
				}
			}
			if id, err := arm.ParseID(was.ID); err == nil {
				ch.id = id // the spelling of the first PUT stays
			}
		}
		ch.doc.named(ch.id)
		ch.doc.signed(old, c.now)
		if sd, err = ch.doc.stored(ch.id); err != nil {
			return err
		}
		if created, err = store.Put(tx, sd); err != nil {
			return err
		}
		if k.stored != nil {
			if err := k.stored(c, tx, ch); err != nil {
				return err
			}
		}
		if long {
			return o.put(tx)
		}
		return nil
	})
	if err != nil {
		c.s.release(o)
		return err
	}
	if long && do == nil {
		c.s.track(o)
	}
	if k.after != nil {
		k.after(c, ch)
	}
	if do != nil {
		id := ch.id.String()
		c.s.work(o, do, func(tx *sql.Tx, failed error) error { return settle(tx, id, failed) })
	}
	d, err := k.present(c, ch.doc.clone())
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created && !k.plainOK {
		status = http.StatusCreated
	}
	c.w.Header().Set("ETag", sd.ETag)
	if long {
		c.announce(o, how)
		if how == styleLocation {
			status = http.StatusAccepted
		}
	} else if how == styleLocation {
		status = http.StatusOK
	}
	return c.reply(status, d)
}

// settle writes how the work on a resource ended.
func settle(tx *sql.Tx, id string, failed error) error {
	d, err := store.Get(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	doc, err := read(d)
	if err != nil {
		return err
	}
	if doc.props()["provisioningState"] = "Succeeded"; failed != nil {
		doc.props()["provisioningState"] = "Failed"
	}
	if d.Body, err = encode(doc); err != nil {
		return err
	}
	_, err = store.Put(tx, d)
	return err
}

// precondition honours If-Match and If-None-Match.
func (c *call) precondition(was *store.Document) error {
	refuse := func() error {
		return &arm.Error{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed", Message: "The condition of If-Match or If-None-Match is not met."}
	}
	if m := c.r.Header.Get("If-Match"); m != "" && (was == nil || m != "*" && m != was.ETag) {
		return refuse()
	}
	if m := c.r.Header.Get("If-None-Match"); m != "" && was != nil && (m == "*" || m == was.ETag) {
		return refuse()
	}
	return nil
}

func (k *kind) remove(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	old, err := c.s.get(c.ctx(), id.String())
	if errors.Is(err, store.ErrNotFound) {
		return c.empty(http.StatusNoContent)
	}
	if err != nil {
		return err
	}
	if err := c.s.errBusy(old.text("id")); err != nil {
		return err
	}
	var do func(ctx context.Context) error
	if k.removing != nil {
		if do, err = k.removing(c, id, old); err != nil {
			return err
		}
	}
	o := c.newOperation(id.String(), "Deleting")
	o.Delete, o.Work = true, do != nil
	long := k.del != styleNone && !o.instant()
	drop := func(tx *sql.Tx) error {
		if _, err := store.DeleteTree(tx, id.String()); err != nil {
			return err
		}
		if k.removed != nil {
			return k.removed(c, tx, id)
		}
		return nil
	}
	if do != nil && !c.s.claim(o) {
		return busy(id.String())
	}
	err = c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		was, err := store.Get(tx, id.String())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := c.precondition(was); err != nil {
			return err
		}
		if do == nil {
			if err := drop(tx); err != nil {
				return err
			}
		}
		if long {
			return o.put(tx)
		}
		return nil
	})
	if err != nil {
		c.s.release(o)
		return err
	}
	if do != nil {
		c.s.work(o, do, func(tx *sql.Tx, failed error) error {
			if failed != nil {
				return settle(tx, id.String(), failed)
			}
			return drop(tx)
		})
	}
	if !long {
		return c.empty(http.StatusOK)
	}
	c.announce(o, k.del)
	return c.empty(http.StatusAccepted)
}

// keep writes a document that exists, changed by the service itself. op, which may be nil, is stored with it.
func (c *call) keep(at string, d document, op *operation) error {
	id, err := arm.ParseID(at)
	if err != nil {
		return err
	}
	d.signed(d, c.now)
	sd, err := d.stored(id)
	if err != nil {
		return err
	}
	return c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		if _, err := store.Get(tx, sd.ID); err != nil {
			return err
		}
		if _, err := store.Put(tx, sd); err != nil || op == nil {
			return err
		}
		return op.put(tx)
	})
}

// rewrite is keep as an operation that a POST began: it answers 202.
func (c *call) rewrite(at string, d document, meanwhile string, how style, after func()) error {
	o := c.newOperation(at, meanwhile)
	if err := c.keep(at, d, o); err != nil {
		return err
	}
	c.s.track(o)
	if after != nil {
		after()
	}
	c.announce(o, how)
	return c.empty(http.StatusAccepted)
}

// action answers a POST that takes time: at once when there is no delay, else 202 with Location. result, which may be nil, is its last answer.
func (c *call) action(result any) error {
	o := c.newOperation("", "")
	if result != nil {
		b, err := encode(result)
		if err != nil {
			return err
		}
		o.Result = b
	}
	if o.instant() {
		if result == nil {
			return c.empty(http.StatusOK)
		}
		return c.reply(http.StatusOK, result)
	}
	if err := c.s.db.Update(c.ctx(), o.put); err != nil {
		return err
	}
	c.announce(o, styleLocation)
	return c.empty(http.StatusAccepted)
}

// crud are the five routes of a kind whose collection is at pattern. ops is Microsoft's word for them.
func crud(k *kind, typ, ops, pattern, name, since string) []route {
	one := pattern + "/{" + name + "}"
	return []route{
		{plane: planeARM, method: http.MethodGet, pattern: pattern, kind: typ, operation: ops + "_List", since: since, run: true, handle: k.list},
		{plane: planeARM, method: http.MethodGet, pattern: one, kind: typ, operation: ops + "_Get", since: since, run: true, handle: k.get},
		{plane: planeARM, method: http.MethodPut, pattern: one, kind: typ, operation: ops + "_CreateOrUpdate", since: since, body: true, lro: k.put, handle: k.create},
		{plane: planeARM, method: http.MethodDelete, pattern: one, kind: typ, operation: ops + "_Delete", since: since, lro: k.del, handle: k.remove},
	}
}

// patched is the PATCH route of a kind.
func patched(k *kind, typ, ops, one, since string) route {
	return route{plane: planeARM, method: http.MethodPatch, pattern: one, kind: typ, operation: ops + "_Update", since: since, body: true, lro: k.patch, handle: k.update}
}

// post is a POST route.
func post(pattern, typ, operation, since string, how style, h func(*call) error) route {
	return route{plane: planeARM, method: http.MethodPost, pattern: pattern, kind: typ, operation: operation, since: since, lro: how, handle: h}
}

// read1 is a further GET route.
func read1(pattern, typ, operation, since string, h func(*call) error) route {
	return route{plane: planeARM, method: http.MethodGet, pattern: pattern, kind: typ, operation: operation, since: since, handle: h}
}
