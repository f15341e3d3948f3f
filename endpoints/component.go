package endpoints

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/jobs"
)

// component makes an id of a reference to a component, or of a component that is registered for it.
func (d *dependencies) component(ctx context.Context, c jobs.ComponentSource) (azureml.Ref, error) {
	ref, ok := c.(azureml.Ref)
	if !ok {
		id, err := d.components.Resolve(ctx, c, nil)
		return azureml.Ref(id), err
	}
	s := strings.TrimPrefix(string(ref), "azureml:")
	if strings.Contains(s, "/") { // an id, or a registry's azureml://
		if strings.HasPrefix(string(ref), "azureml://") {
			return ref, nil
		}
		return azureml.Ref(s), nil
	}
	if name, version, ok := strings.Cut(s, ":"); ok && name != "" && version != "" {
		return azureml.Ref(d.rest.Path("components", name, "versions", version)), nil
	}
	name, label, ok := strings.Cut(s, "@")
	switch {
	case name == "":
		return "", fmt.Errorf("component: %q names none", ref)
	case !ok || label == "default":
		return azureml.Ref(d.rest.Path("components", name, "labels", "default")), nil
	case label != "latest":
		return "", fmt.Errorf("component: the label %q is not known; latest and default are", label)
	}
	var page struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	err := d.rest.Do(ctx, &rest.Call{
		Op: fmt.Sprintf("components: get %q", s), Path: d.rest.Path("components", name, "versions"), Group: "components",
		Query: url.Values{"$orderBy": {"createdtime desc"}, "$top": {"1"}}, Out: &page,
	})
	if err == nil && len(page.Value) == 0 {
		err = fmt.Errorf("components: get %q: %w: the component has no version", s, azureml.ErrNotFound)
	}
	if err != nil {
		return "", err
	}
	return azureml.Ref(page.Value[0].ID), nil
}

// componentOfJob makes an anonymous component of a pipeline job that ran (ComponentVersions_CreateOrUpdate).
// The reference gives all of them the version 1, so that the second overwrites the first; here each job has its own.
func (d *dependencies) componentOfJob(ctx context.Context, ref azureml.Ref) (azureml.Ref, error) {
	job := strings.TrimPrefix(string(ref), "azureml:")
	if i := strings.LastIndexByte(job, '/'); i >= 0 {
		job = job[i+1:]
	}
	if job == "" {
		return "", fmt.Errorf("job_definition: %q names no job", ref)
	}
	const name = "azureml_anonymous"
	sum := sha256.Sum256([]byte(job))
	version := fmt.Sprintf("%x", sum[:16])
	spec := map[string]any{
		"_source": "CLASS", "jobs": map[string]any{}, "name": name, "version": "1", "type": "pipeline", "sourceJobId": job, "source_job_id": job,
	}
	var raw json.RawMessage
	err := d.rest.Do(ctx, &rest.Call{
		Op: fmt.Sprintf("components: create %q", name+":"+version), Method: http.MethodPut, Path: d.rest.Path("components", name, "versions", version), Group: "components",
		Body: map[string]any{"properties": map[string]any{"componentSpec": spec, "isAnonymous": true, "properties": map[string]any{}, "tags": map[string]any{}}}, Out: &raw,
	})
	if err != nil {
		return "", err
	}
	var doc struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || doc.ID == "" {
		return "", errors.New("job_definition: the service answered no component")
	}
	return azureml.Ref(doc.ID), nil
}
