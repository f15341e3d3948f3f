package execution

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// batching is what nodes and components of type parallel say, in YAML's words. The
// node's word counts before the component's.
type batching struct {
	InputData               string          `json:"input_data"`
	MiniBatchSize           scalar          `json:"mini_batch_size"`
	PartitionKeys           json.RawMessage `json:"partition_keys"`
	ErrorThreshold          scalar          `json:"error_threshold"`
	MiniBatchErrorThreshold scalar          `json:"mini_batch_error_threshold"`
	MaxConcurrency          scalar          `json:"max_concurrency_per_instance"`
	LoggingLevel            string          `json:"logging_level"`
	RetrySettings           struct {
		MaxRetries scalar `json:"max_retries"`
		Timeout    scalar `json:"timeout"`
	} `json:"retry_settings"`
	Task struct {
		Type             string          `json:"type"`
		Code             string          `json:"code"`
		EntryScript      string          `json:"entry_script"`
		ProgramArguments string          `json:"program_arguments"`
		Model            string          `json:"model"`
		AppendRowTo      string          `json:"append_row_to"`
		Environment      json.RawMessage `json:"environment"`
	} `json:"task"`
}

func init() { addNode("parallel", &nodeType{component: "parallel", job: parallelNode}) }

// parallelNode fills the job of a parallel step.
func parallelNode(g *graph, s *step, p map[string]any) error {
	var node, comp batching
	if err := s.own(&node); err != nil {
		return err
	}
	if err := s.component.own(&comp); err != nil {
		return err
	}
	first := func(a, b string) string {
		if a == "" {
			a = b
		}
		return g.bind(a)
	}
	keys, err := partitionKeys(node.PartitionKeys, comp.PartitionKeys)
	if err != nil {
		return at("partition_keys", err)
	}
	envRaw := node.Task.Environment
	if len(envRaw) == 0 || string(envRaw) == "null" {
		envRaw = comp.Task.Environment
	}
	var env string
	if err := json.Unmarshal(envRaw, &env); err != nil && len(envRaw) > 0 {
		return arm.Invalid("task.environment", "an environment's id is wanted, got %s", envRaw)
	}
	vars := maps.Clone(s.component.EnvironmentVariables)
	if vars == nil {
		vars = map[string]scalar{}
	}
	g.variables(vars, s)
	resources, err := firstCamel(s.Resources, s.component.Resources)
	if err != nil {
		return at("resources", err)
	}
	if n, ok := resources["instanceCount"].(string); ok {
		count, err := strconv.Atoi(n)
		if err != nil {
			return arm.Invalid("resources.instance_count", "want a whole number, got %q", n)
		}
		resources["instanceCount"] = count
	}
	p["jobType"] = "Parallel"
	for k, v := range map[string]string{
		"taskType": first(node.Task.Type, comp.Task.Type), "entryScript": first(node.Task.EntryScript, comp.Task.EntryScript),
		"programArguments": first(node.Task.ProgramArguments, comp.Task.ProgramArguments), "appendRowTo": first(node.Task.AppendRowTo, comp.Task.AppendRowTo),
		"codeId": assetID(first(node.Task.Code, comp.Task.Code)), "environmentId": assetID(env), "modelId": assetID(first(node.Task.Model, comp.Task.Model)),
		"inputData": first(node.InputData, comp.InputData), "miniBatchSize": first(string(node.MiniBatchSize), string(comp.MiniBatchSize)),
		"errorThreshold": first(string(node.ErrorThreshold), string(comp.ErrorThreshold)), "miniBatchErrorThreshold": first(string(node.MiniBatchErrorThreshold), string(comp.MiniBatchErrorThreshold)),
		"maxConcurrencyPerInstance": first(string(node.MaxConcurrency), string(comp.MaxConcurrency)), "loggingLevel": first(node.LoggingLevel, comp.LoggingLevel),
		"maxRetries": first(string(node.RetrySettings.MaxRetries), string(comp.RetrySettings.MaxRetries)), "timeout": first(string(node.RetrySettings.Timeout), string(comp.RetrySettings.Timeout)),
	} {
		p[k] = v
	}
	p["partitionKeys"], p["environmentVariables"] = keys, vars
	if resources != nil {
		p["resources"] = resources
	}
	return nil
}

// partitionKeys reads the first list that is given: as a list, or as JSON in a text.
func partitionKeys(of ...json.RawMessage) ([]string, error) {
	for _, raw := range of {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			raw = json.RawMessage(text)
		}
		if len(raw) == 0 || string(raw) == "null" || strings.TrimSpace(string(raw)) == `""` {
			continue
		}
		var keys []string
		if err := json.Unmarshal(raw, &keys); err != nil {
			return nil, arm.Invalid("", "a list of columns is wanted, got %s", raw)
		}
		if len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, nil
}
