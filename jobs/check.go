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

// checker gathers what is wrong with a job before anything is sent. It serves one call, whose context it has.
type checker struct {
	ctx    context.Context // nil stands for the background
	r      *resolver       // nil when the service is not to be asked
	faults azureml.Faults
	memo   *memo
	// loose lets a step leave inputs out: it is the body of a loop, which gives them.
	loose bool
	// bare leaves out what is told by files: see Check.
	bare bool
}

// memo is what one check has found out already: many steps use the same folder, compute or component.
type memo struct {
	code, compute, folder map[string]string
	exists                map[string]*azureml.Fault
	components            map[Component]azureml.Faults
}

func (c *checker) remembered() *memo {
	if c.memo == nil {
		c.memo = &memo{code: map[string]string{}, compute: map[string]string{}, folder: map[string]string{}, exists: map[string]*azureml.Fault{}, components: map[Component]azureml.Faults{}}
	}
	return c.memo
}

// inside checks a part, whose faults are named by the path to it.
func (c *checker) inside(prefix string, check func(*checker)) {
	inner := &checker{ctx: c.ctx, r: c.r, memo: c.remembered(), loose: c.loose, bare: c.bare}
	check(inner)
	for _, f := range inner.faults {
		c.fault(&azureml.Fault{Field: prefix + f.Field, Message: f.Message, Cause: f.Cause})
	}
}

// part takes over what is wrong with a part that checks itself.
func (c *checker) part(field string, err error) {
	if list, ok := errors.AsType[azureml.Faults](err); ok {
		for _, f := range list {
			c.fault(&azureml.Fault{Field: field + "." + f.Field, Message: f.Message, Cause: f.Cause})
		}
	} else if err != nil {
		c.fault(&azureml.Fault{Field: field, Message: err.Error(), Cause: err})
	}
}

func (c *checker) add(field, format string, a ...any) {
	c.fault(&azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
}

// fault adds one that is not there yet: a builder may have met it before.
func (c *checker) fault(f *azureml.Fault) {
	if !slices.ContainsFunc(c.faults, func(x *azureml.Fault) bool { return x.Field == f.Field && x.Message == f.Message }) {
		c.faults = append(c.faults, f)
	}
}

// context bounds the looking up of files and of what the service has.
func (c *checker) context() context.Context {
	if c.ctx == nil {
		return context.Background()
	}
	return c.ctx
}

// head checks what all kinds have.
func (c *checker) head(h head) {
	if n := *h.name; n != "" && !jobName.MatchString(n) {
		c.add("name", "%q cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", n)
	}
	if h.experiment != nil {
		if e := *h.experiment; e != "" && !experimentName.MatchString(e) {
			c.add("experiment_name", "%q cannot be an experiment's name: letters, digits, '-', '_' and blanks, beginning with a letter or digit, 256 at most", e)
		}
	}
	if h.inputs != nil {
		for _, name := range slices.Sorted(maps.Keys(*h.inputs)) {
			if h.groups && portName.MatchString(name) {
				c.value("inputs."+name, (*h.inputs)[name])
			} else {
				c.input("inputs."+name, name, (*h.inputs)[name])
			}
		}
	}
	if h.outputs != nil {
		for _, name := range slices.Sorted(maps.Keys(*h.outputs)) {
			field := "outputs." + name
			if !inputName.MatchString(name) && !(h.groups && portName.MatchString(name)) {
				c.add(field, "%q cannot be an output's name: %s", name, inputNameRules)
			}
			out := (*h.outputs)[name]
			if f := out.fault(); f != "" {
				c.add(field, "%s", f)
			}
			c.datastore(field+".path", out.Path)
		}
	}
}

// variables checks the names of environment variables.
func (c *checker) variables(field string, v Variables) {
	for _, name := range sortedKeys(v) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			c.add(field, "%q cannot be a variable's name", name)
		}
	}
}

func (c *checker) input(field, name string, in Input) {
	if !inputName.MatchString(name) {
		c.add(field, "%q cannot be an input's name: %s", name, inputNameRules)
	}
	c.value(field, in)
}

// value checks what an input is.
func (c *checker) value(field string, in Input) {
	if f := in.fault(); f != "" {
		c.add(field, "%s", f)
		return
	}
	switch {
	case in.IsLiteral() || in.Path == "":
	case wire.IsLocalPath(in.Path):
		c.local(field+".path", localPath(in.Path), in.dataType())
	default:
		c.asset(field+".path", in)
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
	if c.bare {
		return
	}
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
	m := c.remembered()
	f, known := m.folder[path]
	if !known {
		f = treeFault(c.context(), path, -1)
		m.folder[path] = f
	}
	if f != "" {
		c.add(field, "%s", f)
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
	for _, x := range strayExpressions(text) {
		c.add(field, "%s is no reference: write ${{inputs.NAME}} or ${{outputs.NAME}}", x)
	}
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
	if code.Path == "" || c.bare {
		if strings.HasPrefix(string(code.Ref), "azureml://registries/") {
			c.add(field, "code of a registry cannot be used by a job; give a folder")
		}
		return
	}
	m := c.remembered()
	f, known := m.code[code.Path]
	if !known {
		f = folderFault(ctx, code.Path)
		m.code[code.Path] = f
	}
	if f != "" {
		c.add(field, "%s", f)
	}
}

// folderFault says why a folder cannot be uploaded as code.
func folderFault(ctx context.Context, path string) string {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("there is no folder %s", path)
	}
	return treeFault(ctx, path, 0)
}

// treeFault says why what is at a path cannot be uploaded. The limit is in bytes: 0 that of code, negative none.
func treeFault(ctx context.Context, path string, limit int64) string {
	tree, err := assets.Walk(ctx, path, nil)
	if err != nil {
		return strings.TrimPrefix(err.Error(), "assets: walk: ")
	}
	if len(tree.Files) == 0 {
		return fmt.Sprintf("the folder %s is empty, or all its files are ignored", path)
	}
	if err := tree.CheckSize(limit); err != nil {
		return err.Error()
	}
	return ""
}

func (c *checker) services(s Services) {
	for _, name := range sortedKeys(s) {
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
