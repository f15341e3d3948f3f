package jobs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Code is what a job's command finds in its working folder. At most one field is set: see [Folder],
// [CodeRef] and [GoProgram]. The zero value is no code.
type Code struct {
	// Path is a folder, or one file, here. It is uploaded at submission, without what its .amlignore (else
	// .gitignore) excludes; the same files are uploaded once.
	Path string
	// Ref is code that was uploaded before: "azureml:NAME:VERSION" or an id.
	Ref azureml.Ref
	// Go is a program that is compiled at submission.
	Go *GoProgram
}

// Folder is the code in a folder here.
func Folder(path string) Code { return Code{Path: path} }

// CodeRef is code that was uploaded before.
func CodeRef(ref azureml.Ref) Code { return Code{Ref: ref} }

// IsZero tells whether there is no code.
func (c Code) IsZero() bool { return c == Code{} }

// EncodeWire writes the code's id, or its path while it is not uploaded.
func (c Code) EncodeWire(e *wire.Encoding) (any, error) {
	switch {
	case c.Go != nil:
		return nil, fmt.Errorf("the Go program %s has no spelling: it is compiled at submission", c.Go.Package)
	case c.Ref != "":
		return c.Ref.EncodeWire(e)
	case c.Path != "":
		return c.Path, nil
	}
	return wire.Omit, nil
}

// DecodeWire reads a path or a reference.
func (c *Code) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*c = Code{}
	if n.IsNull() {
		return
	}
	s, ok := d.Text(n)
	switch {
	case !ok || s == "":
	case wire.IsLocalPath(s) && d.Spelling() == wire.YAML:
		c.Path = n.LocalPath(s)
	default:
		if strings.HasPrefix(s, "git+") {
			d.Fault(n, "code from git is not supported; clone the repository and give its folder")
			return
		}
		c.Ref = azureml.Ref(s)
	}
}

// fault says what is wrong with the code as it stands.
func (c Code) fault() error {
	set := 0
	for _, is := range []bool{c.Path != "", c.Ref != "", c.Go != nil} {
		if is {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("a path, a reference or a Go program, not more than one of them")
	case c.Go != nil:
		return c.Go.validate()
	}
	return nil
}
