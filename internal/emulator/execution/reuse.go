package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// reuseSchema keeps, for each step that completed, what its result depended on
// and the hashes of what it put out.
const reuseSchema = `
CREATE TABLE reuse (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	ws TEXT NOT NULL, print TEXT NOT NULL, step TEXT NOT NULL, run TEXT NOT NULL,
	parts BLOB NOT NULL, outputs BLOB NOT NULL
);
CREATE INDEX reuse_print ON reuse (ws, print, seq);
CREATE INDEX reuse_step ON reuse (ws, step, seq);
CREATE INDEX reuse_run ON reuse (ws, run);`

// reuser decides for the steps of one pipeline whether they run.
type reuser struct {
	c     *contents
	g     *graph
	force bool
	plan  bool // the reasons are wanted
}

func newReuser(e *Engine, sc arm.Scope, g *graph) *reuser {
	return &reuser{c: &contents{e: e, sc: sc, known: map[string]string{}}, g: g, force: bool(g.spec.Settings.ForceRerun)}
}

// candidate is an earlier run whose result a step takes.
type candidate struct {
	run     string
	rec     *Record
	outputs map[string]keptOutput
}

// keptOutput is the hash of what an output held when its step completed.
type keptOutput struct {
	URI  string `json:"uri"`
	Hash string `json:"hash"`
}

// decision is what becomes of a step.
type decision struct {
	print  *fingerprint // nil for steps that are never reused themselves: nested pipelines
	reuse  *candidate
	reason string // why it runs; of plans
}

// decision is the one place where it is decided whether a step runs: props are
// those of its job, with all that it reads in its place.
func (u *reuser) decision(ctx context.Context, s *step, props json.RawMessage) (*decision, error) {
	if s.kindOf().component == "pipeline" {
		return &decision{reason: "its own steps are decided one by one"}, nil
	}
	f, err := u.c.print(ctx, s, props)
	if err != nil {
		return nil, err
	}
	d := &decision{print: f}
	switch {
	case f.never != "":
		d.reason = f.never
		return d, nil
	case u.force:
		d.reason = "the pipeline forces all its steps to run"
		return d, nil
	}
	rows, last, err := u.earlier(ctx, f, s.name)
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		changed, err := u.changed(ctx, c)
		if err != nil {
			return nil, err
		}
		if changed == "" {
			d.reuse = c
			return d, nil
		}
		d.reason = fmt.Sprintf("the output %s of its run %s was changed or deleted", changed, c.run)
	}
	if d.reason == "" && u.plan {
		d.reason = f.difference(last)
	}
	return d, nil
}

// earlierStep is the last run of a step of the same name.
type earlierStep struct {
	run   string
	parts map[string]string
}

// earlier finds completed runs with the same fingerprint, newest first, and
// when there are none, for a plan, the one of a step of that name that is most like it.
func (u *reuser) earlier(ctx context.Context, f *fingerprint, name string) (found []*candidate, last *earlierStep, err error) {
	ws := u.c.sc.Key()
	err = u.c.e.DB.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT run, outputs FROM reuse WHERE ws=? AND print=? ORDER BY seq DESC LIMIT 4`, ws, f.sum)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c := &candidate{}
			var outs []byte
			if err := rows.Scan(&c.run, &outs); err != nil {
				return err
			}
			if err := json.Unmarshal(outs, &c.outputs); err != nil {
				return err
			}
			found = append(found, c)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		there := found[:0]
		for _, c := range found {
			if c.rec, err = stored(tx, ws, c.run); err == nil {
				there = append(there, c)
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		found = there
		if len(found) > 0 || !u.plan {
			return nil
		}
		last, err = nearest(tx, ws, name, f)
		return err
	})
	return found, last, err
}

// nearest is the run, of the last eight of a step of that name, that differs
// least; of equal ones the newest. nil when there is none.
func nearest(tx *sql.Tx, ws, name string, f *fingerprint) (*earlierStep, error) {
	rows, err := tx.Query(`SELECT run, parts FROM reuse WHERE ws=? AND step=? ORDER BY seq DESC LIMIT 8`, ws, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var best *earlierStep
	least := 0
	for rows.Next() {
		at := &earlierStep{}
		var parts []byte
		if err := rows.Scan(&at.run, &parts); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(parts, &at.parts); err != nil {
			return nil, err
		}
		if n := f.differences(at); best == nil || n < least {
			best, least = at, n
		}
	}
	return best, rows.Err()
}

// differences counts the parts that are not the same.
func (f *fingerprint) differences(of *earlierStep) (n int) {
	for k, v := range f.parts {
		if of.parts[k] != v {
			n++
		}
	}
	for k := range of.parts {
		if _, ok := f.parts[k]; !ok {
			n++
		}
	}
	return n
}

// changed names an output that is not what it was when the run completed.
func (u *reuser) changed(ctx context.Context, c *candidate) (string, error) {
	for _, k := range sorted(c.outputs) {
		o := c.outputs[k]
		loc, err := u.c.e.resolve(ctx, u.c.sc, o.URI, arm.Data)
		if err != nil {
			return k, nil //nolint:nilerr // the datastore is gone: so is the output
		}
		h, err := u.c.e.contentHash(ctx, loc)
		if err != nil {
			return "", err
		}
		if h != o.Hash {
			return k, nil
		}
	}
	for k, o := range c.outputs {
		u.c.known[c.rec.Outputs[k].URI] = o.Hash
	}
	return "", nil
}

// difference is the first reason why a step cannot take an earlier run's result.
func (f *fingerprint) difference(last *earlierStep) string {
	if last == nil {
		return "no earlier run of it completed"
	}
	for _, k := range []string{"type", "command", "codeId", "environmentId", "trial", "task"} {
		if f.parts[k] != last.parts[k] {
			return fmt.Sprintf("its %s changed since its run %s", partWord(k), last.run)
		}
	}
	all := map[string]string{}
	maps.Copy(all, last.parts)
	maps.Copy(all, f.parts)
	for _, k := range sorted(all) {
		if f.parts[k] != last.parts[k] {
			return fmt.Sprintf("its %s changed since its run %s", partWord(k), last.run)
		}
	}
	return "its run " + last.run + " is not there any more"
}

func partWord(k string) string {
	switch k {
	case "codeId":
		return "code"
	case "environmentId":
		return "environment"
	case "environmentVariables":
		return "environment variables"
	}
	if name, ok := strings.CutPrefix(k, "inputs."); ok {
		return "input " + name
	}
	if name, ok := strings.CutPrefix(k, "outputs."); ok {
		return "output " + name
	}
	return k
}

// decide notes on a round whether it runs.
func (u *reuser) decide(ctx context.Context, r *round) error {
	d, err := u.decision(ctx, r.step, r.sub.properties)
	if err != nil {
		return err
	}
	r.reuse = d.reuse
	if d.print != nil && d.print.never == "" && d.reuse == nil {
		r.kept = map[string]keptOutput{}
		r.sub.keep = func(ctx context.Context, rec *Record) (func(tx *sql.Tx) error, error) {
			return u.c.e.keepReuse(ctx, rec, r.step.name, d.print, r.kept)
		}
	}
	return nil
}

// keepReuse notes what a step that completed put out, in the transaction of its end.
func (e *Engine) keepReuse(ctx context.Context, r *Record, step string, f *fingerprint, kept map[string]keptOutput) (func(tx *sql.Tx) error, error) {
	for k, o := range r.Outputs {
		if k == "default" {
			continue
		}
		h := hashOf("")
		if !memoryOf(ctx).isEmpty(o.URI) {
			loc, err := e.resolve(ctx, r.Scope, o.URI, arm.Data)
			if err != nil {
				return nil, err
			}
			if h, err = e.contentHash(ctx, loc); err != nil {
				return nil, err
			}
		}
		kept[k] = keptOutput{URI: o.URI, Hash: h}
	}
	outs, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	parts, err := json.Marshal(f.parts)
	if err != nil {
		return nil, err
	}
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO reuse (ws, print, step, run, parts, outputs) VALUES (?,?,?,?,?,?)`, r.Scope.Key(), f.sum, step, r.Name, parts, outs)
		return err
	}, nil
}

// completed remembers the hashes of what a round put out: other steps read it.
func (u *reuser) completed(r *round) {
	for _, o := range r.kept {
		u.c.known[o.URI] = o.Hash
	}
}

// apply makes a submission one of a job that has ended, with the result of the
// candidate.
func (c *candidate) apply(sub *submission, now time.Time) {
	outs := maps.Clone(c.rec.Outputs)
	delete(outs, "default")
	outs["default"] = Output{Type: "uri_folder", URI: "azureml://datastores/" + arm.ArtifactStore + "/" + arm.RunPrefix(sub.name)}
	for k, o := range outs {
		o.AssetID = ""
		outs[k] = o
	}
	maps.Copy(sub.own, map[string]string{
		"azureml.isreused": "true", "azureml.reusedrunid": c.run, "azureml.reusednodeid": c.rec.Properties["azureml.nodeid"], "azureml.reusedpipelinerunid": c.rec.Parent,
		"azureml.reusedpipeline": c.rec.Root,
	})
	sub.ended = &Record{Status: Completed, Started: now, Ended: now, Live: Live{Outputs: outs}}
}

// registerReused makes assets of a reused step's outputs that ask for a name.
func (p *pipelining) registerReused(r *round) error {
	var s struct{ Outputs map[string]*output }
	if err := json.Unmarshal(r.sub.properties, &s); err != nil {
		return err
	}
	changed := false
	for _, k := range sorted(s.Outputs) {
		o := s.Outputs[k]
		if o == nil || o.AssetName == "" {
			continue
		}
		to := r.rec.Outputs[k]
		id, err := p.j.e.Register(p.j.ctx, p.r.Scope, Asset{Collection: registeredAs(o.Type), Name: o.AssetName, Version: o.AssetVersion, Type: o.Type, URI: to.URI, Job: r.rec.Name, Description: o.Description})
		if err != nil {
			return userError("the output %q could not be registered as %s: %v", k, o.AssetName, err)
		}
		to.AssetID = id
		r.rec.Outputs[k], changed = to, true
	}
	if !changed {
		return nil
	}
	return p.j.e.store(p.j.ctx, r.rec)
}

// forgetReuse takes a deleted job out of what can be reused.
func forgetReuse(tx *sql.Tx, ws, run string) error {
	_, err := tx.Exec(`DELETE FROM reuse WHERE ws=? AND run=?`, ws, run)
	return err
}
