package execution

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// takes is an error when a component's input does not take a value, which is of
// another type. Expressions are known when the step runs. Lists of values and
// ranges are Studio's: published pipelines run with others.
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
	}
	return nil
}
