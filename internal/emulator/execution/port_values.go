package execution

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// takes is an error when a component's input does not take a value: it is of
// another type, out of its range, or none of those that are listed. Expressions
// are known when the step runs.
func (p *componentPort) takes(text string) error {
	v := strings.TrimSpace(text)
	if v == "" || strings.Contains(v, "${{") || !literalType(p.Type) {
		return nil
	}
	switch kind := strings.ToLower(p.Type); kind {
	case "boolean":
		if l := strings.ToLower(v); l != "true" && l != "false" && l != "1" && l != "0" {
			return fmt.Errorf("%q is no boolean; want true or false", text)
		}
	case "integer", "number":
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || kind == "integer" && n != math.Trunc(n) {
			return fmt.Errorf("%q is no %s", text, kind)
		}
		if low, err := strconv.ParseFloat(string(p.Min), 64); err == nil && n < low {
			return fmt.Errorf("%s is below the least, %s", text, p.Min)
		}
		if high, err := strconv.ParseFloat(string(p.Max), 64); err == nil && n > high {
			return fmt.Errorf("%s is above the most, %s", text, p.Max)
		}
	case "string":
		if len(p.Enum) > 0 && !slices.Contains(p.Enum, scalar(text)) {
			return fmt.Errorf("%q is not one of %s", text, strings.Join(words(p.Enum), ", "))
		}
	}
	return nil
}

func words(of []scalar) (out []string) {
	for _, s := range of {
		out = append(out, string(s))
	}
	return out
}
