package endpoints

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/jobs"
)

// dependencies makes ids of what a deployment refers to: names, folders and definitions that stand inside it.
type dependencies struct {
	models       *assets.ModelClient
	environments *assets.EnvironmentClient
	code         *assets.CodeClient
	data         *assets.DataClient
	stores       *assets.DatastoreClient
	components   *jobs.ComponentClient
	rest         *rest.Client
}

func newDependencies(c *rest.Client) *dependencies {
	return &dependencies{
		models: assets.NewModelClient(c), environments: assets.NewEnvironmentClient(c), code: assets.NewCodeClient(c), data: assets.NewDataClient(c),
		stores: assets.NewDatastoreClient(c), components: jobs.NewComponentClient(c), rest: c,
	}
}

// checkCode finds what is wrong with a scoring script before anything is uploaded.
func checkCode(f *faults, c *CodeConfiguration) {
	if c == nil {
		return
	}
	switch {
	case c.Code.Go != nil:
		f.add("code_configuration.code", "a Go program serves in an environment of its own: see endpoints/serve")
	case c.Code.IsZero():
		return
	case c.ScoringScript == "":
		f.add("code_configuration.scoring_script", "is required: the path in the folder of a script with the functions init and run")
	case c.Code.Path != "":
		info, err := os.Stat(c.Code.Path)
		if err != nil {
			f.add("code_configuration.code", "%v", err)
			return
		}
		script := filepath.Join(c.Code.Path, filepath.FromSlash(c.ScoringScript))
		if !info.IsDir() {
			script = c.Code.Path
		}
		if info, err := os.Stat(script); errors.Is(err, fs.ErrNotExist) {
			f.add("code_configuration.scoring_script", "there is no %s in %s", c.ScoringScript, c.Code.Path)
		} else if err != nil {
			f.add("code_configuration.scoring_script", "%v", err)
		} else if info.IsDir() {
			f.add("code_configuration.scoring_script", "%s is a folder", script)
		}
	}
}

func (d *dependencies) codeConfiguration(ctx context.Context, c *CodeConfiguration, o *assets.CreateOptions) (*CodeConfiguration, error) {
	if c == nil || c.Code.IsZero() {
		return c, nil
	}
	var id string
	var err error
	if c.Code.Path != "" {
		co := &assets.CodeOptions{}
		if o != nil {
			co.Progress, co.Concurrency = o.Progress, o.Concurrency
		}
		var made *assets.Code
		if made, err = d.code.Create(ctx, &assets.Code{Path: c.Code.Path}, co); err == nil {
			id = made.ID
		}
	} else {
		id, err = d.code.Resolve(ctx, c.Code.Ref)
	}
	if err != nil {
		return nil, fmt.Errorf("code_configuration.code: %w", err)
	}
	return &CodeConfiguration{Code: jobs.CodeRef(azureml.Ref(id)), ScoringScript: c.ScoringScript}, nil
}

func (d *dependencies) environment(ctx context.Context, e assets.EnvironmentSource, o *assets.CreateOptions) (assets.EnvironmentSource, error) {
	if e == nil || e == azureml.Ref("") {
		return nil, nil
	}
	id, err := d.environments.Resolve(ctx, e, o)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	return azureml.Ref(id), nil
}

func (d *dependencies) model(ctx context.Context, m assets.ModelSource, o *assets.CreateOptions) (assets.ModelSource, error) {
	if m == nil || m == azureml.Ref("") {
		return nil, nil
	}
	id, err := d.models.Resolve(ctx, m, o)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return azureml.Ref(id), nil
}

// modelData is where collected data is kept by default.
const modelData = "azureml://datastores/workspaceblobstore/paths/modelDataCollector"

// collector registers a data asset for each collection that has none.
func (d *dependencies) collector(ctx context.Context, c *DataCollector, endpoint, deployment string) (*DataCollector, error) {
	if c == nil {
		return nil, nil
	}
	out := *c
	out.Collections = make(map[string]Collection, len(c.Collections))
	for name, one := range c.Collections {
		data := assets.Data{
			Name: endpoint + "-" + deployment + "-" + name, Version: "1", Path: strings.Join([]string{modelData, endpoint, deployment, name}, "/"),
		}
		given := one.Data
		if given == nil {
			given = &CollectionData{}
		}
		if given.ID != "" {
			id, err := d.data.Resolve(ctx, given.ID)
			if err != nil {
				return nil, fmt.Errorf("data_collector.collections.%s.data: %w", name, err)
			}
			one.Data = &CollectionData{ID: azureml.Ref(id)}
			out.Collections[name] = one
			continue
		}
		for _, f := range []struct {
			given string
			into  *string
		}{{given.Name, &data.Name}, {given.Version, &data.Version}, {given.Path, &data.Path}} {
			if f.given != "" {
				*f.into = f.given
			}
		}
		made, err := d.data.Create(ctx, &data, nil)
		if errors.Is(err, assets.ErrPathFixed) || errors.Is(err, azureml.ErrConflict) { // it was registered before
			made, err = d.data.Get(ctx, data.Name, data.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("data_collector.collections.%s: %w", name, err)
		}
		one.Data = &CollectionData{ID: azureml.Ref(d.rest.Path("data", made.Name, "versions", made.Version))}
		out.Collections[name] = one
	}
	return &out, nil
}

// endpointOf is the name of the endpoint in a deployment's id.
func endpointOf(id string) string {
	parts := strings.Split(id, "/")
	if n := len(parts); n >= 4 && strings.EqualFold(parts[n-2], "deployments") {
		return parts[n-3]
	}
	return ""
}
