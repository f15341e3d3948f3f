package endpoints

import (
	"fmt"
	"regexp"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// BeginOptions are the choices of what begins a long-running operation.
type BeginOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
}

func (o *BeginOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

// faults collects what is wrong with an entity, each fault with its field.
type faults struct{ list azureml.Faults }

func (f *faults) add(field, format string, a ...any) {
	f.list = append(f.list, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
}

func (f *faults) err(op string) error {
	if len(f.list) == 0 {
		return nil
	}
	return rest.WithOp(op, f.list)
}

var letters = regexp.MustCompile(`^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`)

// name checks the name of an endpoint or deployment.
func (f *faults) name(field, name string) {
	switch {
	case name == "":
		f.add(field, "is required")
	case len(name) < 3 || len(name) > 32:
		f.add(field, "%q has %d characters; 3 to 32 are allowed", name, len(name))
	case !letters.MatchString(name):
		f.add(field, "%q is no name: it begins with a letter, goes on with letters, digits and dashes, and does not end with a dash", name)
	}
}
