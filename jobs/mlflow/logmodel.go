package mlflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"
)

// LogModelOptions of Run.LogModel.
type LogModelOptions struct {
	// Register makes a version of this registered model, which is made when it is not there.
	Register string
	// RegisterTags are the version's tags.
	RegisterTags map[string]string
	// Wait for the registration. Defaults to 5 minutes.
	Wait time.Duration
	// AsArtifacts keeps the model with the run's artifacts even on a server that has logged models.
	AsArtifacts bool
}

// ModelInfo is where a model was logged.
type ModelInfo struct {
	// URI is models:/MODEL-ID, or runs:/RUN/PATH on servers without logged models.
	URI     string
	ModelID string
	// Version is the registered version, when one was asked for.
	Version *ModelVersion
}

// LogModel stores a model in MLflow's format: as a logged model where the server has these (MLflow 3),
// else below the run's artifacts, noted on the run. The folder m.Dir is not changed.
func (r *Run) LogModel(ctx context.Context, m *Model, o *LogModelOptions) (*ModelInfo, error) {
	if o == nil {
		o = &LogModelOptions{}
	}
	name := m.Name
	if name == "" {
		name = "model"
	}
	op := fmt.Sprintf("log model %q of run %q", name, r.Info.ID)
	clean, err := cleanPath(name)
	if err != nil || clean == "" {
		return nil, fault(op, "its name is no path below the run's artifacts")
	}
	if r.Info.ArtifactURI == "" || r.Info.ExperimentID == "" {
		if err := r.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	info, err := (*ModelInfo)(nil), error(ErrUnsupported)
	if !o.AsArtifacts {
		info, err = r.logModel(ctx, op, clean, m)
	}
	if errors.Is(err, ErrUnsupported) {
		info, err = r.logModelArtifacts(ctx, op, clean, m)
	}
	if err != nil {
		return nil, err
	}
	if o.Register == "" {
		return info, nil
	}
	if err := r.c.Models.Ensure(ctx, o.Register); err != nil {
		return info, err
	}
	version := NewVersion{Source: info.URI, ModelID: info.ModelID, RunID: r.Info.ID, Tags: o.RegisterTags, Wait: o.Wait}
	info.Version, err = r.c.Versions.Create(ctx, o.Register, version)
	return info, err
}

// logModel is MLflow 3's way.
func (r *Run) logModel(ctx context.Context, op, name string, m *Model) (*ModelInfo, error) {
	// What cannot be written is found before anything is made.
	if _, err := m.document(modelIDs{}); err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	if _, err := m.files("", map[string]any{}); err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	logged, err := r.c.LoggedModels.Create(ctx, NewLoggedModel{ExperimentID: r.Info.ExperimentID, Name: path.Base(name), RunID: r.Info.ID, Type: m.Type, Params: m.Params, Tags: m.Tags})
	if err != nil {
		if e, ok := asError(err); ok && r.c.tracking.kind == azure && e.Status == http.StatusNotFound {
			return nil, ErrUnsupported // Azure Machine Learning has its own words for a route it lacks
		}
		return nil, err
	}
	if err := r.store(ctx, op, logged, m); err != nil {
		_, failed := r.c.LoggedModels.Finalize(context.WithoutCancel(ctx), logged.ID, ModelUploadFailed)
		return nil, join(err, failed)
	}
	if _, err := r.c.LoggedModels.Finalize(ctx, logged.ID, ModelReady); err != nil {
		return nil, err
	}
	return &ModelInfo{URI: "models:/" + logged.ID, ModelID: logged.ID}, nil
}

// store notes the model on the run, gives it the run's values of its step, and uploads its files.
func (r *Run) store(ctx context.Context, op string, logged *LoggedModel, m *Model) error {
	if err := r.LogOutputs(ctx, ModelOutput{ModelID: logged.ID, Step: int64(m.Step)}); err != nil {
		return err
	}
	now, err := r.c.Runs.Get(ctx, r.Info.ID)
	if err != nil {
		return err
	}
	var values []Metric
	for _, key := range sortedKeys(now.Data.Metrics) {
		if v := now.Data.Metrics[key]; v.Step == int64(m.Step) && v.ModelID == "" {
			v.ModelID = logged.ID
			values = append(values, v)
		}
	}
	if len(values) > 0 {
		if err := r.LogBatch(ctx, Batch{Metrics: values}); err != nil {
			return err
		}
	}
	doc, err := m.document(modelIDs{run: r.Info.ID, model: logged.ID, artifactPath: logged.ArtifactURI, created: r.c.clock.Now()})
	if err != nil {
		return fmt.Errorf("mlflow: %s: %w", op, err)
	}
	files, err := m.files("", doc)
	if err != nil {
		return fmt.Errorf("mlflow: %s: %w", op, err)
	}
	a := &Artifacts{c: r.c, what: fmt.Sprintf("logged model %q", logged.ID), find: func(context.Context) (string, error) { return logged.ArtifactURI, nil }}
	return a.put(ctx, files)
}

// logModelArtifacts is the way of MLflow 2 and Azure Machine Learning. POST mlflow/runs/log-model.
func (r *Run) logModelArtifacts(ctx context.Context, op, name string, m *Model) (*ModelInfo, error) {
	doc, err := m.document(modelIDs{run: r.Info.ID, artifactPath: name, created: r.c.clock.Now()})
	if err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	files, err := m.files(name, doc)
	if err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	if err := r.Artifacts().put(ctx, files); err != nil {
		return nil, err
	}
	note := map[string]any{}
	for _, key := range []string{"run_id", "utc_time_created", "artifact_path", "model_uuid", "flavors"} {
		note[key] = doc[key]
	}
	text, err := json.Marshal(note)
	if err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	err = r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/log-model", body: map[string]any{"run_id": r.Info.ID, "model_json": string(text)}})
	if errors.Is(err, ErrUnsupported) {
		r.c.log.Warn("mlflow: the server does not note models on runs; the files are there", "run", r.Info.ID, "model", name)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return &ModelInfo{URI: "runs:/" + r.Info.ID + "/" + name}, nil
}
