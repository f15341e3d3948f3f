package emulator

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// operationType is the type of the documents that long-running operations are.
const operationType = "operation"

// Status words of operations.
const (
	opRunning   = "InProgress"
	opSucceeded = "Succeeded"
	opFailed    = "Failed"
	opCanceled  = "Canceled"
)

// operation is one long-running call. One without work is over when its time has come; one with work when the work is done.
type operation struct {
	ID       string          `json:"id"` // …/mfeOperationsStatus/{guid}
	Name     string          `json:"name"`
	Resource string          `json:"resource"` // what the final GET reads; empty for actions
	State    string          `json:"state"`    // what the resource's provisioningState says meanwhile
	Delete   bool            `json:"delete"`   // the last answer is 204
	Start    time.Time       `json:"start"`
	Ready    time.Time       `json:"ready"` // not before this time
	Work     bool            `json:"work"`
	Ended    time.Time       `json:"ended,omitzero"`
	Status   string          `json:"status"` // of work
	Error    *arm.Error      `json:"error,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"` // of an action
}

// status is the operation's word at a time.
func (o *operation) status(now time.Time) string {
	if o.Work && o.Status == opRunning || now.Before(o.Ready) {
		return opRunning
	}
	if o.Status == opRunning {
		return opSucceeded
	}
	return o.Status
}

func (o *operation) terminal(now time.Time) bool { return o.status(now) != opRunning }

// wait is what Retry-After says: short, since the clock may be moved by a test.
func (o *operation) wait(now time.Time) time.Duration {
	if o.Work {
		return 250 * time.Millisecond
	}
	return min(max(o.Ready.Sub(now), 5*time.Millisecond), time.Second)
}

// newOperation begins an operation on a resource.
func (c *call) newOperation(resource, state string) *operation {
	delay := c.s.opts.OperationDelay
	if d, ok := c.ctx().Value(delayKey{}).(time.Duration); ok {
		delay = d
	}
	name := uuid.NewString()
	sub := c.v["sub"]
	if sub == "" {
		sub = c.sc.Subscription
	}
	return &operation{
		ID: "/subscriptions/" + sub + "/providers/" + arm.Provider + "/locations/" + arm.Region + "/mfeOperationsStatus/" + name, Name: name,
		Resource: resource, State: state, Start: c.now, Ready: c.now.Add(delay), Status: opRunning,
	}
}

// instant says whether the operation is over before it is told of, so that the call answers as a plain one.
func (o *operation) instant() bool { return !o.Work && !o.Ready.After(o.Start) }

func (o *operation) put(tx *sql.Tx) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = store.Put(tx, &store.Document{ID: o.ID, Type: operationType, Body: b})
	return err
}

// announce sets the headers of an answer that begins an operation.
func (c *call) announce(o *operation, how style) {
	version := c.query("api-version")
	q := map[string][]string{"api-version": {version}}
	h := c.w.Header()
	if how == styleAsync || how == styleBoth {
		c.header("Azure-AsyncOperation", address(arm.ARMHost, o.ID, q))
		h.Set("X-Ms-Async-Operation-Timeout", "PT1H")
	}
	if how == styleLocation || how == styleBoth {
		c.header("Location", address(arm.ARMHost, strings.Replace(o.ID, "/mfeOperationsStatus/", "/mfeOperationResults/", 1), q))
	}
	arm.SetRetryAfter(h, o.wait(c.now))
}

// track makes a resource's documents show the operation until it is over.
func (s *Server) track(o *operation) {
	if o.Resource == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Clock()
	maps.DeleteFunc(s.active, func(_ string, x *operation) bool { return x.terminal(now) })
	s.active[strings.ToLower(o.Resource)] = o
}

// claim is track, unless work is being done on the resource.
func (s *Server) claim(o *operation) bool {
	key := strings.ToLower(o.Resource)
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.active[key]; was != nil && was.Work && !was.terminal(s.opts.Clock()) {
		return false
	}
	s.active[key] = o
	return true
}

// release gives a claim up.
func (s *Server) release(o *operation) {
	key := strings.ToLower(o.Resource)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active[key] == o {
		delete(s.active, key)
	}
}

// running is the operation that works on a resource now, nil for none.
func (s *Server) running(id string) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.active[strings.ToLower(id)]
	if o == nil || o.terminal(s.opts.Clock()) {
		return nil
	}
	return o
}

// errBusy refuses a change of a resource that work is being done on.
func (s *Server) errBusy(id string) error {
	if o := s.running(id); o != nil && o.Work {
		return busy(id)
	}
	return nil
}

func busy(id string) error {
	return arm.Conflict("ResourceNotReady", "Another operation is in progress on %s; wait until it has ended.", id)
}

// work carries out the work of an operation that has been stored, and stores how it ended. finish, which may be nil, changes the resource in the same transaction.
// The work ends with the server.
func (s *Server) work(o *operation, do func(ctx context.Context) error, finish func(tx *sql.Tx, err error) error) {
	if !s.begin() {
		return
	}
	go func() {
		defer s.end()
		err := do(s.ctx)
		if s.ctx.Err() != nil {
			return // the next start finds it unfinished
		}
		end := *o
		end.Status, end.Ended = opSucceeded, s.opts.Clock()
		if err != nil {
			end.Status, end.Error = opFailed, arm.As(err)
		}
		if err := s.db.Update(context.WithoutCancel(s.ctx), func(tx *sql.Tx) error {
			if finish != nil {
				if err := finish(tx, err); err != nil {
					return err
				}
			}
			return end.put(tx)
		}); err != nil {
			s.opts.Logger.Error("the end of an operation could not be stored", "resource", o.Resource, "error", err)
			end.Status, end.Error = opFailed, arm.As(err)
		}
		s.release(o)
	}()
}

func operationRoutes() []route {
	return []route{
		{plane: planeARM, method: http.MethodGet, pattern: pLoc + "/mfeOperationsStatus/{id}", kind: "locations/mfeOperationsStatus", operation: "OperationStatus_Get", since: sinceAny, handle: getOperationStatus},
		{plane: planeARM, method: http.MethodGet, pattern: pLoc + "/mfeOperationResults/{id}", kind: "locations/mfeOperationResults", operation: "OperationResults_Get", since: sinceAny, handle: getOperationResult},
	}
}

func (c *call) operation() (*operation, error) {
	id := "/subscriptions/" + c.v["sub"] + "/providers/" + arm.Provider + "/locations/" + c.v["location"] + "/mfeOperationsStatus/" + c.v["id"]
	o := &operation{}
	err := c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		d, err := store.Get(tx, id)
		if err != nil {
			return err
		}
		return json.Unmarshal(d.Body, o)
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, arm.NotFound("operation", c.v["id"])
	}
	return o, err
}

func getOperationStatus(c *call) error {
	o, err := c.operation()
	if err != nil {
		return err
	}
	status := o.status(c.now)
	out := document{"id": o.ID, "name": o.Name, "status": status, "startTime": timestamp(o.Start), "percentComplete": 100.0}
	if status == opRunning {
		out["percentComplete"] = 50.0
		arm.SetRetryAfter(c.w.Header(), o.wait(c.now))
	} else {
		end := o.Ended
		if end.IsZero() {
			end = o.Ready
		}
		out["endTime"] = timestamp(end)
	}
	if o.Error != nil {
		out["error"] = o.Error
	}
	if len(o.Result) > 0 && status == opSucceeded {
		out["properties"] = o.Result
	}
	return c.reply(http.StatusOK, out)
}

func getOperationResult(c *call) error {
	o, err := c.operation()
	if err != nil {
		return err
	}
	switch o.status(c.now) {
	case opRunning:
		c.announce(o, styleLocation)
		return c.empty(http.StatusAccepted)
	case opFailed, opCanceled:
		if o.Error == nil {
			o.Error = arm.Conflict("OperationFailed", "The operation did not succeed.")
		}
		if o.Error.Status == 0 {
			o.Error.Status = http.StatusBadRequest
		}
		return o.Error
	}
	switch {
	case o.Delete:
		return c.empty(http.StatusNoContent)
	case len(o.Result) > 0:
		return c.reply(http.StatusOK, o.Result)
	case o.Resource == "":
		return c.empty(http.StatusOK)
	}
	d, err := c.s.get(c.ctx(), o.Resource)
	if errors.Is(err, store.ErrNotFound) {
		return arm.NotFound("resource", o.Resource)
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

// settleOperations ends what the last owner of the folder left in progress, and forgets what is older than a day.
func (s *Server) settleOperations(ctx context.Context) error {
	now := s.opts.Clock()
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: operationType})
		if err != nil {
			return err
		}
		for _, d := range all {
			o := &operation{}
			if err := json.Unmarshal(d.Body, o); err != nil {
				return err
			}
			switch {
			case o.Work && o.Status == opRunning:
				o.Status, o.Ended = opFailed, now
				o.Error = &arm.Error{Code: "ServiceError", Message: "The local workspace ended while the operation was in progress."}
				if err := o.put(tx); err != nil {
					return err
				}
				if err := fail(tx, o); err != nil {
					return err
				}
			case now.Sub(o.Start) > 24*time.Hour:
				if _, err := store.Delete(tx, d.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fail marks the resource of a lost operation.
func fail(tx *sql.Tx, o *operation) error {
	d, err := store.Get(tx, o.Resource)
	if errors.Is(err, store.ErrNotFound) || o.Resource == "" {
		return nil
	}
	if err != nil {
		return err
	}
	doc, err := read(d)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"Creating", "Updating", "Deleting", "Scaling"}, doc.text("properties", "provisioningState")) {
		return nil
	}
	doc.props()["provisioningState"] = "Failed"
	if d.Body, err = encode(doc); err != nil {
		return err
	}
	_, err = store.Put(tx, d)
	return err
}
