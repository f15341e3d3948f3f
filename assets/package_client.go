package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// PackagedModel is what BeginPackage made.
type PackagedModel struct {
	// Environment is the id of the environment that holds the model. Name and Version are its.
	Environment azureml.Ref `yaml:"target_environment_id" json:"-"`
	Name        string      `yaml:"name" json:"-"`
	Version     string      `yaml:"version" json:"-"`
	// BuildState is NotStarted, Running, Succeeded or Failed.
	BuildState string `yaml:"build_state" json:"-"`
	BuildID    string `yaml:"build_id" json:"-"`
	LogURL     string `yaml:"log_url" json:"-"`
}

var packagedEnvironment = regexp.MustCompile(`/environments/([^/]+)/versions/([^/]+)$`)

func decodePackaged(raw json.RawMessage) (*PackagedModel, error) {
	r, err := rest.As[struct {
		Target     string `json:"targetEnvironmentId"`
		BuildState string `json:"buildState"`
		BuildID    string `json:"buildId"`
		LogURL     string `json:"logUrl"`
	}](raw)
	if err != nil {
		return nil, err
	}
	m := packagedEnvironment.FindStringSubmatch(r.Target)
	if m == nil {
		return nil, fmt.Errorf("the service named no environment that it made, but %q", r.Target)
	}
	return &PackagedModel{azureml.Ref(r.Target), m[1], m[2], r.BuildState, r.BuildID, r.LogURL}, nil
}

// BeginPackage makes an environment that holds a model and its server (ModelVersions_Package), after uploading the script's
// folder. p is not changed.
func (c *ModelClient) BeginPackage(ctx context.Context, p *ModelPackage, o *BeginOptions) (*runtime.Poller[*PackagedModel], error) {
	if p == nil {
		return nil, errors.New("models: package: nothing is said")
	}
	op := fmt.Sprintf("models: package %q", string(p.Model))
	if p.Model == "" {
		return nil, fmt.Errorf("%s: no model is given: azureml:NAME:VERSION", op)
	}
	model, err := c.Resolve(ctx, p.Model, nil)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if !strings.HasPrefix(model, "/") {
		return nil, fmt.Errorf("%s: a model of the workspace is wanted: azureml:NAME:VERSION", op)
	}
	call := c.call(op, http.MethodPost, rest.Join(model, "package"))
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		var f faults
		p.check(&f)
		if err := f.err(op); err != nil {
			return nil, err
		}
		if call.Body, err = c.packaging(ctx, p, o.upload()); err != nil {
			return nil, rest.WithOp(op, err)
		}
	}
	return rest.Begin(ctx, c.c, call, decodePackaged)
}

// packaging is p with ids for names and folders.
func (c *ModelClient) packaging(ctx context.Context, p *ModelPackage, o *CreateOptions) (*ModelPackage, error) {
	out := *p
	if b := p.Base; b != nil && b.Resource != "" {
		id, err := NewEnvironmentClient(c.c).Resolve(ctx, b.Resource, o)
		if err != nil {
			return nil, fmt.Errorf("base_environment_source: %w", err)
		}
		out.Base = &PackageBase{b.Type, azureml.Ref(assetURI(id))}
	}
	if code := p.code(); code != nil && code.Code != "" {
		id, err := c.packageCode(ctx, code.Code, o)
		if err != nil {
			return nil, fmt.Errorf("inferencing_server.code_configuration.code: %w", err)
		}
		server := &AzureMLServer{&PackageCode{assetURI(id), code.ScoringScript}}
		if p.Server.Online != nil {
			out.Server.Online = server
		} else {
			out.Server.Batch = server
		}
	}
	if strings.HasPrefix(string(p.Target), "azureml://") {
		return &out, nil
	}
	w, err := c.c.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	name, version, versioned := strings.Cut(strings.TrimPrefix(string(p.Target), "azureml:"), ":")
	target := fmt.Sprintf("azureml://locations/%s/workspaces/%s/environments/%s", w.Location, w.GUID, name)
	if versioned {
		target += "/versions/" + version
	}
	out.Target = PackageTarget(target)
	return &out, nil
}

// assetURI is how a package spells an id.
func assetURI(id string) string {
	if strings.HasPrefix(id, "/") {
		return "azureml:/" + id
	}
	return id
}

func (c *ModelClient) packageCode(ctx context.Context, code string, o *CreateOptions) (string, error) {
	client := NewCodeClient(c.c)
	if !wire.IsLocalPath(code) {
		return client.Resolve(ctx, azureml.Ref(code))
	}
	co := &CodeOptions{}
	if o != nil {
		co.Progress, co.Concurrency = o.Progress, o.Concurrency
	}
	made, err := client.Create(ctx, &Code{Path: code}, co)
	if err != nil {
		return "", err
	}
	return made.ID, nil
}
