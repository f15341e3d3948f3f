// Command apply creates or updates what YAML files of `az ml` v2 describe: jobs,
// data, models, environments, computes, endpoints and the like, the kind told by
// $schema, else by type and keys.
//
//	apply [-name N] [-endpoint-name N] [-set a.b.c=v]… [-model NAME:VERSION] [-registry NAME] [-dry-run] FILE…
//
// The workspace is that of config.json or AZUREML_ARM_*. Every file is loaded
// and checked before the first is sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func main() {
	var o workspace.LoadOptions
	flag.StringVar(&o.Name, "name", "", "replaces the name in the file")
	flag.StringVar(&o.Endpoint, "endpoint-name", "", "replaces endpoint_name in the file")
	flag.Var((*list)(&o.Set), "set", "a.b.c=value: replaces or adds a value; may be given several times")
	var to workspace.ApplyOptions
	flag.StringVar((*string)(&to.Model), "model", "", "NAME:VERSION of the model that a model package is of")
	flag.StringVar(&to.Registry, "registry", "", "the registry that a deployment template goes to")
	dry := flag.Bool("dry-run", false, "load and check, and show what would be created, without sending a change")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: apply [flags] FILE…")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args(), &o, &to, *dry); err != nil {
		fmt.Fprintln(os.Stderr, "apply:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, files []string, o *workspace.LoadOptions, to *workspace.ApplyOptions, dry bool) error {
	var entities []any
	var errs []error
	for _, f := range files {
		e, err := workspace.Load(f, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entities = append(entities, e)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ws, err := workspace.FromEnvironment(ctx, nil)
	if err != nil {
		return err
	}
	for i, e := range entities {
		if dry {
			if err := show(ctx, ws, files[i], e); err != nil {
				return err
			}
			continue
		}
		made, err := ws.Apply(ctx, e, to)
		if err != nil {
			return fmt.Errorf("%s: %w", files[i], err)
		}
		if r, ok := made.(*jobs.Run); ok {
			fmt.Printf("%s: submitted %s (%s)\n", files[i], r.Name, r.Status)
			continue
		}
		text, err := workspace.Dump(made)
		if err != nil {
			return err
		}
		fmt.Printf("# %s\n%s", files[i], text)
	}
	return nil
}

// show checks an entity and prints it as it would be created.
func show(ctx context.Context, ws *workspace.Client, file string, e any) error {
	if s, ok := e.(jobs.Spec); ok {
		if err := ws.Jobs.Validate(ctx, s, nil); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	text, err := workspace.Dump(e)
	if err != nil {
		return err
	}
	fmt.Printf("# %s: would be created in %s\n%s", file, ws.ID().Name, text)
	return nil
}
