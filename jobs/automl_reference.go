package jobs

import "github.com/azureml-go/azureml/internal/wire"

// sendAsReference spells three fields as azure-ai-ml 1.35.2 spells them in AutoML jobs, and in these alone: resources and queue
// settings under their YAML names, and every output as a folder. What a file makes is what `az ml` makes of it. Updates of a job
// that was read compare and keep REST's own spelling.
func (j AutoMLJob) sendAsReference(m map[string]any) {
	if j.Resources != nil {
		if r, ok := m["resources"].(map[string]any); ok {
			r = snakeKeys(r, "properties")
			if list, ok := r["docker_args_list"]; ok {
				delete(r, "docker_args_list")
				r["docker_args"] = list
			}
			m["resources"] = r
		}
	}
	if j.Queue != nil {
		q := map[string]any{}
		if j.Queue.Tier != "" {
			q["job_tier"] = string(j.Queue.Tier)
		}
		if j.Queue.Priority != "" {
			q["priority"] = string(j.Queue.Priority)
		}
		m["queueSettings"] = q
	}
	outputs, ok := m["outputs"].(map[string]any)
	if !ok {
		return
	}
	for _, o := range outputs {
		if o, ok := o.(map[string]any); ok {
			o["jobOutputType"] = string(TypeURIFolder)
		}
	}
}

// snakeKeys is m with its own keys in snake case, less some.
func snakeKeys(m map[string]any, less ...string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if !contains(less, k) {
			out[wire.SnakeCase(k)] = v
		}
	}
	return out
}
