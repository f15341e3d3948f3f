package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

// RegisterBestOptions are the choices of RegisterBest. Nil is fine.
type RegisterBestOptions struct {
	// Output is the name of the job's output that holds the model. Defaults to the model that the trial has logged in MLflow's
	// form.
	Output string
}

// RegisterBest registers the model of the best trial of a sweep or an AutoML job (what Best asks for, then
// ModelVersions_CreateOrUpdate). m names it and may say more; its Path must be empty, and its Type defaults to mlflow_model, or to
// custom_model where an output is named. m is not changed. The error is azureml.ErrNotFound as long as no best trial is known, or
// when it has logged no model.
func (c *Client) RegisterBest(ctx context.Context, name string, m *assets.Model, o *RegisterBestOptions) (*assets.Model, error) {
	op := fmt.Sprintf("jobs: register best trial of %q", name)
	switch {
	case m == nil:
		return nil, fmt.Errorf("%s: the model is nil", op)
	case m.Path != "":
		return nil, fmt.Errorf("%s: the model has the path %q; the trial says where it is", op, m.Path)
	}
	best, err := c.Best(ctx, name)
	if err != nil {
		return nil, err
	}
	sent := *m
	if o != nil && o.Output != "" {
		sent.Path = "azureml://jobs/" + best.Run.Name + "/outputs/" + o.Output
		if sent.Type == "" {
			sent.Type = assets.CustomModel
		}
	} else {
		if best.Model == "" {
			return nil, errors.Join(fmt.Errorf("%s: the trial %s has logged no model in MLflow's form; name the output that holds it", op, best.Run.Name), azureml.ErrNotFound)
		}
		sent.Path = best.Model
		if sent.Type == "" {
			sent.Type = assets.MLflowModel
		}
	}
	return assets.NewModelClient(c.rest).Create(ctx, &sent, nil)
}
