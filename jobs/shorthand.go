package jobs

import (
	"fmt"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// shorthand makes data of the inputs that a file writes as text alone, "data: ./rows" or "data: azureml:rows:1", where the
// component takes data there: its declaration says what the text is the path of.
func shorthand(inputs Inputs, c ComponentSource, d *wire.Decoding, at *wire.Node) Inputs {
	k, ok := c.(Component)
	if !ok || d.Spelling() != wire.YAML || isUnknown(k) {
		return inputs
	}
	takes := k.common().inputs
	for name, in := range inputs {
		decl, known := takes[name]
		if !known || in.Value == nil || decl.Type == "" || isParameter(decl.Type) {
			continue
		}
		n := at.Get("inputs", name)
		if n.Kind == wire.Mapping { // {value: …} is meant as it stands
			continue
		}
		text, ok := in.Value.(string)
		switch {
		case ok && len(wire.FindExpressions(text)) > 0:
		case !ok:
			d.At("inputs").At(name).Fault(n, "the component takes a %s here: give its path, not %s", decl.Type, wire.PythonStr(in.Value))
		case decl.Type == "path":
			d.At("inputs").At(name).Fault(n, "the component takes any data here: say which, as {type: uri_folder, path: %s}", text)
		default:
			if !strings.ContainsAny(text, `/\`) && strings.ContainsAny(text, ":@") && !strings.HasPrefix(text, "azureml:") {
				text = "azureml:" + text // NAME:VERSION is an asset, as the reference has it
			}
			inputs[name] = Input{Type: DataType(decl.Type), Path: n.LocalPath(text)}
		}
	}
	return inputs
}

// earlier is the fault of a binding in the form of the first previews, which the service does not know; "" for others.
func earlier(text string) string {
	e, ok := wire.ParseExpression(text)
	if !ok {
		return ""
	}
	for _, root := range []string{"inputs.", "outputs.", "jobs."} {
		if strings.HasPrefix(string(e), root) {
			return fmt.Sprintf("%s is the form of earlier versions; write ${{parent.%s}}", e, string(e))
		}
	}
	return ""
}
