package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// checker gathers what is wrong with a job before anything is sent.
type checker struct {
	r      *resolver // nil when the service is not to be asked
	faults azureml.Faults
}

func (c *checker) add(field, format string, a ...any) {
	c.faults = append(c.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
}

// head checks what all kinds have.
func (c *checker) head(h head) {
	if n := *h.name; n != "" && !jobName.MatchString(n) {
		c.add("name", "%q cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", n)
	}
	if h.inputs != nil {
		for _, name := range slices.Sorted(maps.Keys(*h.inputs)) {
			c.input("inputs."+name, name, (*h.inputs)[name])
		}
	}
	if h.outputs != nil {
		for _, name := range slices.Sorted(maps.Keys(*h.outputs)) {
			field := "outputs." + name
			if !inputName.MatchString(name) {
				c.add(field, "%q cannot be an output's name: %s", name, inputNameRules)
			}
			if f := (*h.outputs)[name].fault(); f != "" {
				c.add(field, "%s", f)
			}
		}
	}
}

func (c *checker) input(field, name string, in Input) {
	if !inputName.MatchString(name) {
		c.add(field, "%q cannot be an input's name: %s", name, inputNameRules)
	}
	if f := in.fault(); f != "" {
		c.add(field, "%s", f)
		return
	}
	if in.Path != "" && wire.IsLocalPath(in.Path) {
		c.local(field+".path", localPath(in.Path), in.dataType())
	}
}

// localPath is a path without the prefix that marks it as one.
func localPath(p string) string {
	for _, prefix := range []string{"file://", "folder://", "file:", "folder:"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok {
			return rest
		}
	}
	return p
}

// local checks a file or folder that is to be uploaded.
func (c *checker) local(field, path string, t DataType) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.add(field, "there is no file or folder %s; a data asset is written azureml:NAME:VERSION or azureml:NAME@latest", path)
		return
	case err != nil:
		c.add(field, "%s cannot be read: %v", path, cause(err))
		return
	case t == TypeURIFile && info.IsDir():
		c.add(field, "%s is a folder, and the type is uri_file; use uri_folder", path)
		return
	case t == TypeURIFolder && !info.IsDir():
		c.add(field, "%s is a file, and the type is uri_folder; use uri_file", path)
		return
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			c.add(field, "%s cannot be read: %v", path, cause(err))
		}
	}
}

// cause is an error of the file system without the path that the message names already.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// command checks that all that a command refers to is there.
func (c *checker) command(field, command string, code Code, in Inputs, out Outputs, space []string) {
	if code.Go != nil {
		if _, err := code.Go.command(command); err != nil {
			c.add(field, "%v", err)
		}
	} else if strings.TrimSpace(command) == "" {
		c.add(field, "a command is required")
		return
	}
	command = doubleBraces(command)
	c.references(field, command, in, out, space)
}

// references checks that what a command or arguments refer to is there.
func (c *checker) references(field, text string, in Inputs, out Outputs, space []string) {
	needed, optional, outputs, params := references(text)
	for _, n := range needed {
		v, ok := in[n]
		switch {
		case ok && v != (Input{}) || slices.Contains(optional, n):
		case ok:
			c.add(field, "${{inputs.%s}} has no value; put it in [brackets] to leave it out then", n)
		default:
			c.add(field, "${{inputs.%s}} is no input of the job%s", n, have("inputs", in))
		}
	}
	for _, n := range outputs {
		if _, ok := out[n]; !ok {
			c.add(field, "${{outputs.%s}} is no output of the job%s", n, have("outputs", out))
		}
	}
	for _, n := range params {
		if !slices.Contains(space, n) {
			c.add(field, "${{search_space.%s}} is not in the search space", n)
		}
	}
}

// have lists what there is instead.
func have[V any](what string, m map[string]V) string {
	if len(m) == 0 {
		return fmt.Sprintf(": it has no %s", what)
	}
	return fmt.Sprintf("; its %s are %s", what, strings.Join(slices.Sorted(maps.Keys(m)), ", "))
}

// code checks the folder of a job's code.
func (c *checker) code(ctx context.Context, field string, code Code) {
	if err := code.fault(); err != nil {
		c.add(field, "%v", err)
		return
	}
	if code.Path == "" {
		if strings.HasPrefix(string(code.Ref), "azureml://registries/") {
			c.add(field, "code of a registry cannot be used by a job; give a folder")
		}
		return
	}
	if _, err := os.Stat(code.Path); errors.Is(err, fs.ErrNotExist) {
		c.add(field, "there is no folder %s", code.Path)
		return
	}
	tree, err := assets.Walk(ctx, code.Path, nil)
	switch {
	case err != nil:
		c.add(field, "%v", err)
	case len(tree.Files) == 0:
		c.add(field, "the folder %s is empty, or all its files are ignored", code.Path)
	default:
		if err := tree.CheckSize(0); err != nil {
			c.add(field, "%v", err)
		}
	}
}

func (c *checker) services(s Services) {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if f := s[name].fault(); f != "" {
			c.add("services."+name, "%s", f)
		}
	}
}

// seconds checks a limit of time, which travels in whole seconds.
func (c *checker) seconds(field string, d time.Duration) {
	switch {
	case d < 0:
		c.add(field, "%v is negative", d)
	case d%time.Second != 0:
		c.add(field, "%v is not in whole seconds", d)
	}
}
