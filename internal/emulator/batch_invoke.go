package emulator

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// invocation is what a batch endpoint is asked for.
type invocation struct {
	endpoint   string
	deployment string         // "" is the endpoint's default
	id         string         // of the request, by which it is known when it comes again; "" for none
	props      map[string]any // the request's properties
	marks      map[string]any // further properties of the job
}

// batchRequest remembers what an invocation with an id made.
type batchRequest struct {
	Job  string `json:"job"`
	Hash string `json:"hash"` // of the deployment's name and the request
}

const typeBatchRequest = "batchRequests"

// errRepeated stops a submission of a request that made its job already.
var errRepeated = errors.New("the request was made before")

// invokeBatch answers at a batch endpoint's scoring address.
func (s *Server) invokeBatch(w http.ResponseWriter, r *http.Request, sc arm.Scope, name string) {
	c := &call{s: s, w: w, r: r, rt: &route{body: true}, sc: sc, edge: s.edgeOf(r), now: s.opts.Clock()}
	if err := c.invokeBatch(name); err != nil {
		c.fail(err)
	}
}

func (c *call) invokeBatch(name string) error {
	who, err := c.s.identify(c.r)
	if err != nil {
		return err
	}
	if !who.full {
		return arm.Forbidden("A run's token may not invoke batch endpoints.")
	}
	switch at := strings.TrimSuffix(c.r.URL.Path, "/"); {
	case at == "/swagger.json" && c.r.Method == http.MethodGet:
		return c.reply(http.StatusOK, batchSwagger(name))
	case at != "/jobs":
		return arm.NotFound("path", c.r.URL.Path)
	case c.r.Method != http.MethodPost:
		c.w.Header().Set("Allow", http.MethodPost)
		return &arm.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "A batch endpoint is asked by POST."}
	}
	d, err := c.document()
	if err != nil {
		return err
	}
	d = named(d, []string{"properties"})
	props := d.object("properties")
	if props == nil {
		return arm.Invalid("properties", "The field properties is required and must be an object.")
	}
	props = batchRequestOf(props)
	job, created, err := c.s.invoke(c.ctx(), c.sc, &invocation{
		endpoint: name, deployment: c.r.Header.Get("azureml-model-deployment"), id: c.r.Header.Get("repeatability_request-id"), props: props,
	})
	if err != nil {
		return err
	}
	jd, err := c.find(c.sc.Child(arm.Jobs, job), "job", job)
	if err != nil {
		return err
	}
	if jd, err = c.showBatchJob(jd); err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return c.reply(status, jd)
}

// invoke makes the job that an invocation asks for, once for each request id, and
// returns its name.
func (s *Server) invoke(ctx context.Context, sc arm.Scope, i *invocation) (job string, created bool, err error) {
	at := sc.Child(arm.BatchEndpoints, i.endpoint)
	e, err := s.get(ctx, at)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, arm.NotFound("batch endpoint", i.endpoint)
	}
	if err != nil {
		return "", false, err
	}
	name := i.deployment
	if name == "" {
		name = e.text("properties", "defaults", "deploymentName")
	}
	if name == "" {
		return "", false, &arm.Error{Status: http.StatusNotFound, Code: "UserError", Message: "No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight values or use a deployment specific header to route. The endpoint " + i.endpoint + " has no default deployment (defaults.deploymentName)."}
	}
	d, err := s.get(ctx, at+"/deployments/"+name)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, &arm.Error{Status: http.StatusNotFound, Code: "UserError", Message: "Deployment " + name + " not found in endpoint " + i.endpoint + ", workspace " + sc.Workspace}
	}
	if err != nil {
		return "", false, err
	}
	if name = d.text("name"); name == "" {
		return "", false, errors.New("a batch deployment has no name")
	}
	b, err := json.Marshal([]any{strings.ToLower(name), i.props})
	if err != nil {
		return "", false, err
	}
	sum := sha256.Sum256(b)
	request := &batchRequest{Hash: hex.EncodeToString(sum[:])}
	key := at + "/requests/" + i.id
	if i.id != "" {
		made, err := s.requested(ctx, key, request.Hash)
		if made != "" || err != nil {
			return made, false, err
		}
	}
	request.Job, _ = i.props["name"].(string)
	if request.Job == "" {
		request.Job = "batchjob-" + uuid.NewString()
	}
	if err := nameOf(arm.Jobs, request.Job); err != nil {
		return "", false, err
	}
	w := &batchWork{s: s, sc: sc, endpoint: e, deployment: d, props: i.props}
	doc, err := w.job(ctx)
	if err != nil {
		return "", false, err
	}
	if own := doc.object("properties", "properties"); own != nil {
		maps.Copy(own, i.marks)
	}
	err = s.submitAlso(ctx, sc, request.Job, doc, func(tx *sql.Tx) error {
		if i.id == "" {
			return nil
		}
		if _, err := store.Get(tx, key); err == nil {
			return errRepeated
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		b, err := json.Marshal(request)
		if err != nil {
			return err
		}
		_, err = store.Put(tx, &store.Document{ID: key, Type: typeBatchRequest, Body: b})
		return err
	})
	if errors.Is(err, errRepeated) {
		// The same request came in twice at once, and the other one may not be committed yet. A commit after it is.
		if err := s.db.Update(ctx, func(*sql.Tx) error { return nil }); err != nil {
			return "", false, err
		}
		job, err = s.requested(ctx, key, request.Hash)
		return job, false, err
	}
	return request.Job, err == nil, err
}

// requested is the job that a request with this id made before, "" for none.
// Another request under the same id is a conflict.
func (s *Server) requested(ctx context.Context, key, hash string) (string, error) {
	var old batchRequest
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		d, err := store.Get(tx, key)
		if err != nil {
			return err
		}
		return json.Unmarshal(d.Body, &old)
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case old.Hash != hash:
		return "", arm.Conflict("UserError", "The repeatability_request-id was used for another request, which made the job %q.", old.Job)
	}
	return old.Job, nil
}

// batchSwagger describes the one operation of a batch endpoint.
func batchSwagger(name string) document {
	return document{
		"swagger": "2.0", "info": map[string]any{"title": name, "version": "1.0"}, "consumes": []any{"application/json"}, "produces": []any{"application/json"},
		"paths": map[string]any{"/jobs": map[string]any{"post": map[string]any{
			"operationId": "CreateJob", "summary": "Makes a job of a deployment for the given inputs.",
			"parameters": []any{
				map[string]any{"in": "header", "name": "azureml-model-deployment", "type": "string"},
				map[string]any{"in": "header", "name": "repeatability_request-id", "type": "string"},
				map[string]any{"in": "body", "name": "body", "required": true, "schema": map[string]any{"type": "object"}},
			},
			"responses": map[string]any{"201": map[string]any{"description": "The job was made."}, "200": map[string]any{"description": "The job was made by the same request before."}},
		}}},
	}
}
