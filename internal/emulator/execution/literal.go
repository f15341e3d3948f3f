package execution

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// unfit says what is wrong with a value for the port, "" for nothing. Texts that
// are empty are no values. Ranges and enumerations are hints to people: published
// pipelines go beyond them.
func (p *componentPort) unfit(v string) string {
	if v == "" {
		return ""
	}
	kind := strings.ToLower(p.Type)
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case kind == "integer" && (err != nil || n != math.Trunc(n) || math.IsInf(n, 0)), kind == "number" && err != nil:
		return fmt.Sprintf("the component's input is of type %s, not %q", kind, v)
	case kind == "boolean" && !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") && v != "0" && v != "1":
		return fmt.Sprintf("the component's input is true or false, not %q", v)
	}
	return ""
}

// picky is true of a step with a value that its component may refuse.
func (s *step) picky() bool {
	for k, in := range s.Inputs {
		if p := s.component.Inputs[k]; in != nil && in.Value != nil && p != nil && literalType(p.Type) && !strings.EqualFold(p.Type, "string") {
			return true
		}
	}
	return false
}

// unfitValues finds values that are given to a step, or come from the pipeline's
// inputs, and that its component does not take. What steps put out is not known
// before.
func (s *step) unfitValues(job json.RawMessage) (faults []*arm.Error) {
	if s.component == nil || s.component.missing != "" || !s.picky() {
		return nil
	}
	var p struct {
		Inputs map[string]*input `json:"inputs"`
	}
	if err := json.Unmarshal(job, &p); err != nil {
		return []*arm.Error{arm.As(err)}
	}
	for _, k := range sorted(s.Inputs) {
		in, port := s.Inputs[k], s.component.Inputs[k]
		if in == nil || in.Value == nil || port == nil || !literalType(port.Type) || fromStep.MatchString(string(*in.Value)) {
			continue
		}
		if v := p.Inputs[k]; v != nil && v.Value != nil {
			if why := port.unfit(string(*v.Value)); why != "" {
				faults = append(faults, arm.Invalid("inputs."+k, "%s", why))
			}
		}
	}
	return faults
}
