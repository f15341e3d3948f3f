package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// parallelSpec is what is read of a parallel step's job: a command's properties,
// and how its input is cut into mini-batches. Numbers may stand as text.
type parallelSpec struct {
	commandSpec
	TaskType      string `json:"taskType"` // run_function, function or model
	EntryScript   string `json:"entryScript"`
	Arguments     string `json:"programArguments"`
	AppendRowTo   string `json:"appendRowTo"` // ${{outputs.x}}
	AppendRowFile string `json:"appendRowFileName"`
	ModelID       string `json:"modelId"`
	InputData     string `json:"inputData"` // ${{inputs.x}}
	// MiniBatchSize is a number of files, of tables the bytes.
	MiniBatchSize           scalar   `json:"miniBatchSize"`
	PartitionKeys           []string `json:"partitionKeys"`
	ErrorThreshold          scalar   `json:"errorThreshold"`
	MiniBatchErrorThreshold scalar   `json:"miniBatchErrorThreshold"`
	MaxConcurrency          scalar   `json:"maxConcurrencyPerInstance"`
	MaxRetries              scalar   `json:"maxRetries"`
	Timeout                 scalar   `json:"timeout"` // of a call of run, in seconds
	LoggingLevel            string   `json:"loggingLevel"`
}

// parallelPlan is a parallelSpec with its numbers read and its defaults filled in.
type parallelPlan struct {
	*parallelSpec
	input, output      string // names; output "" for summary_only
	size               int64  // 0 when it was not said
	itemErrors         int    // -1 bears all
	batchErrors        int    // -1 bears all
	percent            int    // of mini-batches that may fail
	perNode            int
	tries              int // of one mini-batch
	timeout            time.Duration
	startTimeout       time.Duration // of init
	firstTimeout       time.Duration // until the first mini-batch begins
	progressTimeout    time.Duration // 0 for none
	copyLogs, monitors bool
	level              string
}

// maxTimeout bounds every timeout of a parallel step, as Azure does.
const maxTimeout = 259200

const defaultAppendRowFile = "parallel_run_step.txt"

// predefined are the arguments that the parallel run itself reads; Python's
// argparse takes them shortened, too.
var predefined = []string{
	"error_threshold", "allowed_failed_percent", "allowed_failed_count", "task_overhead_timeout", "progress_update_timeout", "first_task_creation_timeout",
	"copy_logs_to_parent", "metrics_name_prefix", "push_metrics_to_parent", "resource_monitor_interval", "append_row_file_name",
}

// planFault is a value of a parallel step that cannot be.
func planFault(field, format string, args ...any) error {
	return arm.Invalid("properties."+field, format, args...)
}

var (
	inputRef  = regexp.MustCompile(`^\$\{\{\s*inputs\.([\w.\-]+)\s*\}\}$`)
	outputRef = regexp.MustCompile(`^\$\{\{\s*outputs\.([\w.\-]+)\s*\}\}$`)
)

// plan reads the numbers of a step, and finds every fault in them.
func (s *parallelSpec) plan() (*parallelPlan, error) {
	p := &parallelPlan{parallelSpec: s, percent: 100, startTimeout: 600 * time.Second, firstTimeout: 600 * time.Second, level: "INFO"}
	var errs []error
	fault := func(field, format string, args ...any) {
		errs = append(errs, planFault(field, format, args...))
	}
	number := func(field, text string, def, least, most int) int {
		if strings.TrimSpace(text) == "" {
			return def
		}
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < least || n > most {
			fault(field, "want a whole number from %d to %d, got %q", least, most, text)
		}
		return n
	}
	if m := inputRef.FindStringSubmatch(s.InputData); m != nil {
		p.input = m[1]
		if in := s.Inputs[p.input]; in == nil || in.Type == "literal" {
			fault("input_data", "%s is not one of the step's inputs of data: %s", s.InputData, strings.Join(sorted(s.Inputs), ", "))
		}
	} else {
		fault("input_data", "the input that is cut into mini-batches is required, as ${{inputs.NAME}}; got %q", s.InputData)
	}
	if s.AppendRowTo != "" {
		m := outputRef.FindStringSubmatch(s.AppendRowTo)
		ok := false
		if m != nil {
			_, ok = s.Outputs[m[1]]
		}
		if !ok {
			fault("task.append_row_to", "%q is not one of the step's outputs, as ${{outputs.NAME}}: %s", s.AppendRowTo, strings.Join(sorted(s.Outputs), ", "))
		} else if p.output = m[1]; outputOf(&s.commandSpec, p.output).Mode == "Direct" {
			fault("outputs."+p.output+".mode", "rows are appended to a file, so that the output cannot be Direct")
		}
	}
	if t := strings.TrimSpace(string(s.MiniBatchSize)); t != "" {
		n, err := byteSize(t)
		if err != nil {
			fault("mini_batch_size", "%v", err)
		}
		p.size = n
	}
	p.itemErrors = number("error_threshold", string(s.ErrorThreshold), -1, -1, math.MaxInt32)
	p.batchErrors = number("mini_batch_error_threshold", string(s.MiniBatchErrorThreshold), -1, -1, math.MaxInt32)
	p.perNode = number("max_concurrency_per_instance", string(s.MaxConcurrency), runtime.NumCPU(), 1, 1024)
	p.tries = number("retry_settings.max_retries", string(s.MaxRetries), 2, 0, math.MaxInt32) + 1
	seconds := func(field, text string, def int) time.Duration {
		return time.Duration(number(field, text, def, 1, maxTimeout)) * time.Second
	}
	p.timeout = seconds("retry_settings.timeout", string(s.Timeout), 60)
	if s.LoggingLevel != "" {
		p.level = strings.ToUpper(s.LoggingLevel)
		if p.level == "WARN" {
			p.level = "WARNING"
		}
		if !slices.Contains([]string{"DEBUG", "INFO", "WARNING"}, p.level) {
			fault("logging_level", "%q is not one of DEBUG, INFO, WARNING", s.LoggingLevel)
		}
	}
	args, err := splitArguments(s.Arguments)
	if err != nil {
		fault("task.program_arguments", "%v", err)
	}
	for name, text := range predefinedOf(args) {
		if reference.MatchString(text) {
			fault("task.program_arguments", "--%s of the parallel run wants a value, got %s", name, text)
			continue
		}
		field := "task.program_arguments: --" + name
		switch name {
		case "error_threshold":
			p.itemErrors = number(field, text, -1, -1, math.MaxInt32)
		case "allowed_failed_count":
			p.batchErrors = number(field, text, -1, -1, math.MaxInt32)
		case "allowed_failed_percent":
			p.percent = number(field, text, 100, 0, 100)
		case "task_overhead_timeout":
			p.startTimeout = seconds(field, text, 600)
		case "progress_update_timeout":
			p.progressTimeout = seconds(field, text, 0)
		case "first_task_creation_timeout":
			p.firstTimeout = seconds(field, text, 600)
		case "resource_monitor_interval":
			p.monitors = number(field, text, 0, 0, math.MaxInt32) > 0
		case "append_row_file_name":
			s.AppendRowFile = text
		case "copy_logs_to_parent":
			b, err := strconv.ParseBool(strings.ToLower(text))
			if err != nil {
				fault(field, "want True or False, got %q", text)
			}
			p.copyLogs = b
		case "push_metrics_to_parent", "metrics_name_prefix":
			if !strings.EqualFold(text, "false") {
				fault(field, "the local workspace's parallel run logs no metrics of its own")
			}
		}
	}
	if f := s.AppendRowFile; f != "" && (f != path.Base(f) || f == "." || f == ".." || strings.ContainsAny(f, `\:`)) {
		fault("append_row_file_name", "want the name of a file without a folder, got %q", f)
	}
	switch {
	case len(s.PartitionKeys) > 0 && s.Inputs[p.input] != nil && s.Inputs[p.input].Type != "mltable":
		fault("partition_keys", "the input %q is a %s; only an mltable has columns to partition by", p.input, s.Inputs[p.input].Type)
	case p.tabular() || len(s.PartitionKeys) > 0:
	case p.size == 0:
		p.size = 1
	}
	switch s.TaskType {
	case "", "run_function", "function":
		if s.EntryScript == "" {
			fault("task.entry_script", "an entry script is required")
		}
	case "model":
		if s.ModelID == "" {
			fault("task.model", "a model is required")
		}
	default:
		fault("task.type", "%q is not one of run_function, model", s.TaskType)
	}
	return p, errors.Join(errs...)
}

// tabular is true when mini-batches are rows: an mltable that is not asked for
// as files.
func (p *parallelPlan) tabular() bool {
	in := p.Inputs[p.input]
	return in != nil && in.Type == "mltable" && (in.Mode == "Direct" || in.Mode == "")
}

var sizeText = regexp.MustCompile(`^(\d+)\s*([kmgKMG][bB])?$`)

// byteSize reads 10, 10kb, 1MB.
func byteSize(text string) (int64, error) {
	m := sizeText.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("want a number, which may end in kb, mb or gb, got %q", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := map[string]uint{"": 0, "kb": 10, "mb": 20, "gb": 30}[strings.ToLower(m[2])]
	if err != nil || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return n << shift, nil
}

// predefinedOf finds the parallel run's own arguments among those of the script.
func predefinedOf(args []string) map[string]string {
	found := map[string]string{}
	for i, a := range args {
		name, ok := strings.CutPrefix(a, "--")
		if !ok || name == "" {
			continue
		}
		name, value, with := strings.Cut(name, "=")
		if !with && i+1 < len(args) {
			value = args[i+1]
		}
		full := ""
		for _, p := range predefined {
			if p == name {
				full = p
				break
			}
			if strings.HasPrefix(p, name) && len(name) > 4 {
				if full != "" { // argparse refuses what may mean two
					full = ""
					break
				}
				full = p
			}
		}
		if full != "" {
			found[full] = value
		}
	}
	return found
}

func init() {
	addKind("Parallel", &kind{inner: true, work: (*job).parallel, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		return e.parallelFaults(ctx, sc, properties)
	}})
}

// parallelFaults finds what is wrong with a parallel step's job.
func (e *Engine) parallelFaults(ctx context.Context, sc arm.Scope, properties json.RawMessage) []*arm.Error {
	s := &parallelSpec{}
	if err := json.Unmarshal(properties, s); err != nil {
		return []*arm.Error{arm.Invalid("properties", "the parallel step cannot be read: %v", err)}
	}
	var faults []*arm.Error
	p, err := s.plan()
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, one := range several.Unwrap() {
			faults = append(faults, arm.As(one))
		}
	}
	// The rest is checked as for a command with the same ports.
	c := s.asCommand(p)
	c.Command = "script " + s.Arguments
	for _, f := range e.faults(ctx, sc, c) {
		if f.Target == "properties.command" {
			f.Target = "properties.task.program_arguments"
		}
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return faults
	}
	add := func(field string, err error) {
		if err != nil {
			faults = append(faults, arm.As(at(field, err)))
		}
	}
	if s.ModelID != "" {
		_, err := e.Resolver.Resolve(ctx, sc, s.ModelID, arm.Models)
		add("properties.task.model", err)
	}
	add("properties.inputs."+p.input, e.tableKnown(ctx, sc, p))
	if s.TaskType != "model" {
		add("properties.task.entry_script", e.scriptThere(ctx, sc, s))
	}
	if len(faults) > 0 {
		return faults
	}
	add("properties.task.entry_script", e.runnable(ctx, sc, p))
	return faults
}

// asCommand is the part of a step that it shares with commands. Its input of
// mini-batches is brought here whatever its mode says: the modes only tell rows
// from files.
func (s *parallelSpec) asCommand(p *parallelPlan) *commandSpec {
	c := s.commandSpec
	c.Inputs = map[string]*input{}
	for k, in := range s.Inputs {
		if in != nil && p != nil && k == p.input {
			i := *in
			i.Mode = "ReadOnlyMount"
			in = &i
		}
		c.Inputs[k] = in
	}
	return &c
}

// scriptThere is an error when the code has no such entry script.
func (e *Engine) scriptThere(ctx context.Context, sc arm.Scope, s *parallelSpec) error {
	if s.CodeID == "" {
		return arm.Invalid("", "the code with the entry script %q is required", s.EntryScript)
	}
	loc, err := e.Resolver.Resolve(ctx, sc, s.CodeID, arm.Codes)
	if err != nil {
		return err
	}
	_, err = e.Blobs.Stat(ctx, loc.Account, loc.Container, scriptBlob(loc, s.EntryScript))
	if errors.Is(err, store.ErrNotFound) {
		return arm.Invalid("", "the code has no file %q", s.EntryScript)
	}
	return err
}

// scriptBlob is the entry script's blob: the code is a folder, or that one file.
func scriptBlob(loc *arm.Location, script string) string {
	at := strings.TrimSuffix(loc.Path, "/")
	if !strings.HasSuffix(loc.Path, "/") && path.Base(at) == script && path.Ext(script) != "" {
		return at
	}
	return path.Join(at, script)
}
