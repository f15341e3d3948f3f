package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/wire"
)

// portName is what inputs and outputs may be called.
var portName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*$`)

var inputTypes = []string{"literal", "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"}

// fileTypes also says what outputs may be.
var fileTypes = inputTypes[1:]

// Check refuses what cannot be run, before anything is stored. Its errors are
// *arm.Error.
func (e *Engine) Check(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage) error {
	return e.check(ctx, sc, name, properties, false)
}

// check is Check; inner allows what only other jobs start.
func (e *Engine) check(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage, inner bool) error {
	var s struct {
		JobType string `json:"jobType"`
	}
	if err := json.Unmarshal(properties, &s); err != nil {
		return arm.Invalid("properties", "the job cannot be read: %v", err)
	}
	k := kinds[s.JobType]
	if k == nil || k.inner && !inner {
		return arm.Invalid("properties.jobType", "the local workspace runs jobs of type %s; %q is not among them", strings.Join(outerKinds(), ", "), s.JobType)
	}
	faults := k.check(ctx, e, sc, properties)
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	all := arm.Invalid("properties", "the job %q has %d faults; the first: %s", name, len(faults), faults[0].Message)
	all.Details = faults
	return all
}

func (e *Engine) faults(ctx context.Context, sc arm.Scope, s *commandSpec) []*arm.Error {
	var out []*arm.Error
	add := func(err error) {
		if err != nil {
			out = append(out, arm.As(err))
		}
	}
	if strings.TrimSpace(s.Command) == "" {
		add(arm.Invalid("properties.command", "a command is required"))
	}
	if _, err := shell(); err != nil && e.contained() == nil {
		add(arm.Invalid("properties.command", "%v", err))
	}
	for _, f := range e.containerFaults(s) {
		add(f)
	}
	if f := e.environmentFault(ctx, sc, s.EnvironmentID); f != nil {
		add(f)
	}
	if s.CodeID != "" {
		if _, err := e.resolve(ctx, sc, s.CodeID, arm.Codes); err != nil {
			add(at("properties.codeId", err))
		}
	}
	compute := computeName(s.ComputeID)
	node := e.machine(ctx, sc, compute)
	size := node.size
	switch {
	case node.spark:
		add(arm.Invalid("properties.computeId", "the compute %q runs Spark jobs alone", compute))
	case size < 0 && s.nodes() == 1: // switched off: the job waits until it is started
	case size < 0:
		add(arm.Invalid("properties.resources.instanceCount", "%d nodes are asked for; the compute %q has one", s.nodes(), compute))
	case size == 0:
		add(arm.Invalid("properties.computeId", "the compute %q is not there or runs no jobs", compute))
	case s.nodes() > size && !elastic(compute):
		add(arm.Invalid("properties.resources.instanceCount", "%d nodes are asked for; the compute %q has %d", s.nodes(), compute, size))
	}
	if err := checkDistribution(s); err != nil && (e.contained() == nil || s.Distribution.Type != "Ray") {
		add(err)
	}
	if s.Limits != nil && s.Limits.Timeout != "" {
		if d, err := wire.ParseDuration(s.Limits.Timeout); err != nil || d <= 0 {
			add(arm.Invalid("properties.limits.timeout", "want an ISO 8601 duration above zero such as PT1H, got %q", s.Limits.Timeout))
		}
	}
	for _, k := range sorted(s.Services) {
		if t := s.Services[k].Type; t != "" && t != "Custom" && t != "Studio" && t != "Tracking" {
			add(arm.Invalid("properties.services."+k, "the local workspace does not start a service of type %s beside a job", t))
		}
	}
	e.checkPorts(ctx, sc, s, add)
	return out
}

func (e *Engine) checkPorts(ctx context.Context, sc arm.Scope, s *commandSpec, add func(error)) {
	for _, k := range sorted(s.Inputs) {
		in, where := s.Inputs[k], "properties.inputs."+k
		switch {
		case !portName.MatchString(k):
			add(arm.Invalid(where, "an input's name has letters, digits and _ and does not begin with a digit"))
		case in == nil:
		case !slices.Contains(inputTypes, in.Type):
			add(arm.Invalid(where+".jobInputType", "%q is not one of %s", in.Type, strings.Join(inputTypes, ", ")))
		case in.Type == "literal":
		case in.URI == "":
			add(arm.Invalid(where+".uri", "a uri is required"))
		case strings.HasPrefix(in.Mode, "Eval"):
			add(arm.Invalid(where+".mode", "the local workspace does not evaluate MLTables; use ReadOnlyMount, Download or Direct, not %s", in.Mode))
		case !slices.Contains([]string{"", "ReadOnlyMount", "ReadWriteMount", "Download", "Direct"}, in.Mode):
			add(arm.Invalid(where+".mode", "%q is not an input's mode", in.Mode))
		default:
			loc, err := e.resolve(ctx, sc, in.URI, collectionOf(in.Type))
			if err != nil {
				add(at(where+".uri", err))
			} else if loc.URL != "" && in.Mode != "Direct" && in.Type != "uri_file" {
				add(arm.Invalid(where+".uri", "only one file can be fetched from a web address, not a %s: %s", in.Type, loc.URL))
			}
		}
	}
	for _, k := range sorted(s.Outputs) {
		o, where := s.Outputs[k], "properties.outputs."+k
		switch {
		case !portName.MatchString(k):
			add(arm.Invalid(where, "an output's name has letters, digits and _ and does not begin with a digit"))
		case o == nil:
		case !slices.Contains(fileTypes, o.Type):
			add(arm.Invalid(where+".jobOutputType", "%q is not one of %s", o.Type, strings.Join(fileTypes, ", ")))
		case !slices.Contains([]string{"", "ReadWriteMount", "Upload", "Direct"}, o.Mode):
			add(arm.Invalid(where+".mode", "%q is not an output's mode", o.Mode))
		case o.AssetVersion != "" && o.AssetName == "":
			add(arm.Invalid(where+".assetName", "assetVersion is given without assetName"))
		case o.URI != "":
			loc, err := e.resolve(ctx, sc, arm.ExpandOutput(o.URI, "job", k), arm.Data)
			if err != nil {
				add(at(where+".uri", err))
			} else if loc.URL != "" || loc.AssetID != "" {
				add(arm.Invalid(where+".uri", "an output goes to a datastore path (azureml://datastores/NAME/paths/PATH), not to %q", o.URI))
			}
		}
	}
	needed, _ := references(s.Command)
	for _, r := range needed {
		kind, name, _ := strings.Cut(r, ".")
		var names []string
		switch kind {
		case "inputs":
			if in := s.Inputs[name]; in != nil && (in.Type != "literal" || in.Value != nil) {
				continue
			}
			names = sorted(s.Inputs)
		case "outputs":
			if _, ok := s.Outputs[name]; ok {
				continue
			}
			names = sorted(s.Outputs)
		default:
			add(arm.Invalid("properties.command", "${{%s}}: only inputs and outputs are known in a command", r))
			continue
		}
		add(arm.Invalid("properties.command", "${{%s}}: there is no such value; the %s are: %s", r, kind, strings.Join(names, ", ")))
	}
}

// collectionOf is where a short reference of an input of that type is looked for.
func collectionOf(inputType string) string {
	// The reference client resolves triton_model as data; both are accepted.
	if inputType == "mlflow_model" || inputType == "custom_model" {
		return arm.Models
	}
	return arm.Data
}

// at puts an error under the field that caused it.
func at(field string, err error) error {
	e := *arm.As(err)
	if e.Status == 404 {
		e.Status, e.Code = 400, "ValidationError"
	}
	e.Target = field
	return &e
}

// computeName is the last part of a compute's id.
func computeName(id string) string {
	if id == "" {
		return serverless
	}
	return id[strings.LastIndexByte(id, '/')+1:]
}

const serverless = "serverless"

// elastic computes take jobs of any width; their nodes are processes here.
func elastic(compute string) bool { return strings.EqualFold(compute, serverless) }

func sorted[V any](m map[string]V) []string {
	k := slices.Collect(maps.Keys(m))
	sort.Strings(k)
	return k
}

// shells remembers shell's answers by the PATH they were found in.
var shells sync.Map

// shell is the program that runs a job's command.
func shell() (string, error) {
	path := os.Getenv("PATH")
	if p, ok := shells.Load(path); ok {
		return p.(string), nil //nolint:forcetypeassert // it holds strings alone
	}
	names := []string{"bash", "sh"}
	if runtime.GOOS == "windows" {
		names = append(names, filepath.Join(os.Getenv("ProgramFiles"), "Git", "bin", "bash.exe"))
	}
	for _, s := range names {
		if p, err := exec.LookPath(s); err == nil && !linuxShell(p) {
			shells.Store(path, p)
			return p, nil
		}
	}
	return "", fmt.Errorf("commands need bash or sh in PATH; neither is there")
}

// linuxShell is true of Windows' own bash.exe, which runs commands in the Linux subsystem: without the job's variables and paths.
func linuxShell(path string) bool {
	if runtime.GOOS != "windows" {
		return false
	}
	dir := strings.ToLower(filepath.Dir(path))
	return strings.HasSuffix(dir, `\system32`) || strings.HasSuffix(dir, `\sysnative`) || strings.HasSuffix(dir, `\windowsapps`)
}
