package serving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/wire"
)

// route is a path and port of a server in its container.
type route struct {
	Path string
	Port int
}

// plan is how a deployment is served, decided before anything is started.
type plan struct {
	model    *arm.Location // nil without a model
	code     *arm.Location // of a scoring script
	script   string
	context  *arm.Location // build context
	image    *image
	command  []string // of Options.Images, or of MLflow
	mlflow   bool
	liveness route
	ready    route
	score    route
	note     string
	collect  *collecting // nil for nothing
}

// plan looks at everything that a deployment names and refuses what cannot be served.
func (h *Host) plan(ctx context.Context, sc arm.Scope, s *spec) (*plan, error) {
	p := &plan{liveness: route{"/", 5001}, ready: route{"/", 5001}, score: route{"/score", 5001}}
	var err error
	if s.Model != "" {
		if p.model, err = h.Resolver.Resolve(ctx, sc, s.Model, arm.Models); err != nil {
			return nil, under("properties.model", err)
		}
	}
	var env struct {
		Image           string
		Build           *struct{ ContextURI, DockerfilePath string }
		InferenceConfig *struct{ LivenessRoute, ReadinessRoute, ScoringRoute *route }
		CondaFile       string
	}
	name := ""
	if s.EnvironmentID != "" {
		loc, err := h.Resolver.Resolve(ctx, sc, s.EnvironmentID, arm.Environments)
		if err != nil {
			return nil, under("properties.environmentId", err)
		}
		if err := json.Unmarshal(loc.Properties, &env); err != nil {
			return nil, fmt.Errorf("serving: environment %s: %w", loc.AssetID, err)
		}
		n, v := loc.Asset()
		name = n + ":" + v
	}
	if c := env.InferenceConfig; c != nil {
		for to, from := range map[*route]*route{&p.liveness: c.LivenessRoute, &p.ready: c.ReadinessRoute, &p.score: c.ScoringRoute} {
			if from != nil {
				*to = *from
			}
		}
	}
	hasScript := s.CodeConfiguration != nil && s.CodeConfiguration.ScoringScript != ""
	switch {
	case env.Image != "" && h.Images[env.Image] != nil:
		p.command = h.Images[env.Image]
	case env.Build != nil && env.InferenceConfig != nil:
		if err := h.planImage(ctx, sc, p, env.Build.ContextURI, env.Build.DockerfilePath); err != nil {
			return nil, under("properties.environmentId", err)
		}
	case hasScript:
		if p.code, err = h.Resolver.Resolve(ctx, sc, s.CodeConfiguration.CodeID, arm.Codes); err != nil {
			return nil, under("properties.codeConfiguration.codeId", err)
		}
		p.script = s.CodeConfiguration.ScoringScript
		if p.command, err = pythonServer(); err != nil {
			return nil, arm.Invalid("properties.codeConfiguration", "%v", err)
		}
		if name != "" {
			p.note = "the scoring script runs with the host's Python; environment " + name + " is not provided"
		}
	case p.model != nil && p.model.Type == "mlflow_model":
		if _, err := exec.LookPath("mlflow"); err != nil {
			return nil, arm.Invalid("properties.model", "an MLflow model without a scoring script is served by the program mlflow, which is not in PATH")
		}
		p.mlflow = true
		p.liveness, p.ready, p.score = route{"/ping", 0}, route{"/ping", 0}, route{"/invocations", 0}
	case env.Image != "":
		return nil, arm.Invalid("properties.environmentId", "the image %s of environment %s cannot be run here; give a build context with inference_config, or map the image to a command (local.Options.Images)", env.Image, name)
	default:
		return nil, arm.Invalid("properties", "there is nothing to serve: give an environment with a build context and inference_config, a scoring script (code_configuration), or an MLflow model")
	}
	if p.collect, err = h.planCollector(ctx, sc, s.endpoint, s.deployment, s.DataCollector); err != nil {
		return nil, err
	}
	return p, p.checkCollector()
}

func (h *Host) planImage(ctx context.Context, sc arm.Scope, p *plan, uri, dockerfile string) error {
	loc, err := h.Resolver.Resolve(ctx, sc, uri, arm.Data)
	if err != nil {
		return err
	}
	if loc.URL != "" {
		return arm.Invalid("build.contextUri", "the build context %s is not in the workspace's storage", loc.URL)
	}
	if dockerfile == "" {
		dockerfile = "Dockerfile"
	}
	f, err := h.Blobs.Open(ctx, loc.Account, loc.Container, path.Join(loc.Path, dockerfile))
	if errors.Is(err, store.ErrNotFound) {
		return arm.Invalid("build.dockerfilePath", "there is no file %q in the build context %s", dockerfile, uri)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return err
	}
	if p.image, err = parseDockerfile(string(text)); err != nil {
		return arm.Invalid("build.dockerfilePath", "%v", err)
	}
	p.context = loc
	return nil
}

// under puts an error below the field that caused it.
func under(field string, err error) error {
	e := *arm.As(err)
	if e.Status == 404 {
		e.Status, e.Code = 400, "ValidationError"
	}
	if e.Target = field; e.Status == 0 {
		e.Status = 500
	}
	return &e
}

// duration reads an ISO 8601 duration, "" as the default.
func duration(s string, fallback time.Duration) (time.Duration, error) {
	if strings.TrimSpace(s) == "" {
		return fallback, nil
	}
	return wire.ParseDuration(s)
}
