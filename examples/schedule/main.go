// Command schedule retrains a model each night: a schedule starts a pipeline at
// three in the morning on the clocks of Berlin. On a local workspace the nights
// pass at once, because the workspace's clock is moved; the one in between is
// the night in which Europe's clocks are put forward.
//
//	go run ./examples/schedule            on a local workspace, which needs nothing but Go
//	go run ./examples/schedule -azure     on the workspace that config.json or AZUREML_ARM_* name: the schedule is triggered once
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// program is the package of the training program.
const program = "github.com/azureml-go/azureml/examples/quickstart/train"

func main() {
	azure := flag.Bool("azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	compute := flag.String("compute", "cpu-cluster", "cluster that trains")
	environment := flag.String("environment", "azureml:sklearn-1.5@latest", "environment of the job; a Go program needs nothing of it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *azure, *compute, azureml.Ref(*environment)); err != nil {
		fmt.Fprintln(os.Stderr, "schedule:", err)
		stop()
		os.Exit(1)
	}
}

// clock is a time that is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func run(ctx context.Context, out io.Writer, azure bool, compute string, environment azureml.Ref) (err error) {
	c := &clock{at: time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)}
	ws, closeWorkspace, err := open(ctx, azure, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()
	dir, err := os.MkdirTemp("", "schedule-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	table := filepath.Join(dir, "breast_cancer.csv")
	if err := os.WriteFile(table, breastcancer.CSV, 0o600); err != nil {
		return err
	}

	// Nothing changes from night to night: without ForceRerun the step would be reused.
	p := pipeline.New("retrain").Experiment("nightly").On(compute).ForceRerun(true)
	p.Step("train", jobs.Command("./train -data ${{inputs.table}} -epochs 10 -model ${{outputs.model}}").
		GoCode(program).In(environment).Input("table", jobs.URIFile(table)).Output("model", jobs.OutputFolder()))

	// Without a start time the first job would run at once.
	trigger := jobs.Cron("0 3 * * *").In("W. Europe Standard Time")
	trigger.StartTime = "2026-03-27T18:00:00"
	job, err := p.Build()
	if err != nil {
		return err
	}
	making, err := ws.Schedules.BeginCreate(ctx, jobs.OnSchedule("nightly", trigger).Run(job), nil)
	if err != nil {
		return err
	}
	if _, err := making.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	fmt.Fprintln(out, "made the schedule nightly")
	defer func() { err = errors.Join(err, end(context.WithoutCancel(ctx), ws)) }()

	var at time.Time // now
	if !azure {
		for night := range 3 {
			c.move(24 * time.Hour)
			if err := wait(ctx, ws, night+1); err != nil {
				return err
			}
		}
		at = c.now()
	}
	triggered, err := ws.Schedules.Trigger(ctx, "nightly", at)
	if err != nil {
		return err
	}
	if _, err := ws.Jobs.Wait(ctx, triggered.JobName, nil); err != nil {
		return err
	}
	var runs []*jobs.Run
	for r, err := range ws.Schedules.Jobs(ctx, "nightly") {
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	slices.Reverse(runs) // the newest comes first
	for _, r := range runs {
		if r, err = ws.Jobs.Wait(ctx, r.Name, nil); err != nil {
			return err
		}
		fmt.Fprintln(out, " ", r.DisplayName, r.Status)
	}
	return nil
}

// wait returns when the schedule has started so many jobs.
func wait(ctx context.Context, ws *workspace.Client, jobs int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		n := 0
		for _, err := range ws.Schedules.Jobs(ctx, "nightly") {
			if err != nil {
				return err
			}
			n++
		}
		if n >= jobs {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// end switches the schedule off, as it must be before it is deleted, and deletes it.
func end(ctx context.Context, ws *workspace.Client) error {
	disabling, err := ws.Schedules.BeginDisable(ctx, "nightly", nil)
	if err != nil {
		return err
	}
	if _, err := disabling.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	deleting, err := ws.Schedules.BeginDelete(ctx, "nightly", nil)
	if err != nil {
		return err
	}
	_, err = deleting.PollUntilDone(ctx, nil)
	return err
}

// open is the only place where the two worlds differ.
func open(ctx context.Context, azure bool, c *clock) (*workspace.Client, func() error, error) {
	if azure {
		ws, err := workspace.FromEnvironment(ctx, nil)
		return ws, func() error { return nil }, err
	}
	lw, err := local.Start(ctx, &local.Options{Clock: c.now, OperationDelay: -1}) // a clock that stands ends no operation
	if err != nil {
		return nil, nil, err
	}
	return lw.Client, lw.Close, nil
}
