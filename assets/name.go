package assets

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
)

var (
	assetName     = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,254}$`)
	datastoreName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_]{0,254}$`)
)

// faults collects what is wrong with an entity, each fault with its field.
type faults struct{ list azureml.Faults }

func (f *faults) add(field, format string, a ...any) {
	f.list = append(f.list, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
}

// has says whether a field has a fault.
func (f *faults) has(field string) bool {
	return slices.ContainsFunc(f.list, func(x *azureml.Fault) bool { return x.Field == field })
}

// local adds why a local path cannot be looked at.
func (f *faults) local(field, path string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		f.list = append(f.list, &azureml.Fault{Field: field, Cause: err, Message: "there is no file or folder " + path + "; addresses begin with azureml:// or https://"})
		return
	}
	f.cause(field, err)
}

// cause adds what an error says.
func (f *faults) cause(field string, err error) {
	f.list = append(f.list, &azureml.Fault{Field: field, Cause: err, Message: strings.TrimPrefix(err.Error(), "assets: walk: ")})
}

// err puts the call in front of the faults.
func (f *faults) err(op string) error {
	switch {
	case len(f.list) == 0:
		return nil
	case op == "":
		return f.list
	}
	return fmt.Errorf("%s: %w", op, f.list)
}

// asset checks an asset's name and version; a version may be missing when the service is to choose one.
func (f *faults) asset(name, version string) {
	switch {
	case name == "":
		f.add("name", "is required")
	case !assetName.MatchString(name):
		f.add("name", "%q is no name of an asset: it has up to 255 letters, digits, dashes, underscores and dots, and begins with a letter or digit", name)
	}
	if version != "" {
		f.version(version)
	}
}

func (f *faults) version(version string) {
	if strings.ContainsAny(version, "/\\?#%@ \t\r\n") || len(version) > 255 || version == "." || version == ".." {
		f.add("version", "%q is no version: it has up to 255 letters, digits, dashes, underscores and dots", version)
	}
}

// checkID checks what a call is to read by.
func checkID(op, name, version string) error {
	var f faults
	switch {
	case name == "":
		f.add("name", "is required")
	case strings.ContainsAny(name, "/\\?#"):
		f.add("name", "%q is no name", name)
	}
	if version == "" {
		f.add("version", "is required; the newest one is got by the label latest")
	} else {
		f.version(version)
	}
	return f.err(op)
}
