package emulator

import (
	"context"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/serving"
)

// runTokenTime is how long a job's first token is good; a job that runs longer asks for a new one.
const runTokenTime = 7 * 24 * time.Hour

// wire makes the engines of jobs and deployments and lets them continue what the folder holds.
func (s *Server) wire(ctx context.Context) error {
	dir, err := s.folder("jobs")
	if err != nil {
		return err
	}
	mode, err := s.environments(ctx)
	if err != nil {
		return err
	}
	s.jobs, err = execution.New(execution.Deps{
		DB: s.db, Blobs: s.blobs, Tracking: s.tracking, Resolver: s.resolver, Dir: dir, Clock: s.opts.Clock, ClockMoves: s.opts.moved, Logger: s.opts.Logger,
		Environments: mode, PassEnv: s.opts.PassEnv, BaseURL: s.BaseURL,
		RunToken: func(sc arm.Scope, run string) (string, time.Time, error) { return s.keys.run(sc, run, runTokenTime) },
		Revoke:   s.keys.revoke,
		Artifacts: func(ctx context.Context, sc arm.Scope) (string, string, error) {
			return sc.Account(), arm.ArtifactContainer, s.blobs.EnsureContainer(ctx, sc.Account(), arm.ArtifactContainer)
		},
		Register: s.registerOutput,
		Slots:    s.slots, SparkPool: s.sparkPool,
	})
	if err != nil {
		return err
	}
	if err := s.jobs.Recover(ctx); err != nil {
		return err
	}
	if dir, err = s.folder("deployments"); err != nil {
		return err
	}
	s.online, err = serving.New(serving.Deps{
		Blobs: s.blobs, Resolver: s.resolver, Dir: dir, Clock: s.opts.Clock, Logger: s.opts.Logger, BaseEnv: execution.BaseEnv(s.opts.PassEnv), Images: s.opts.Images,
		Endpoint: s.scoring, BaseURL: s.BaseURL,
	})
	if err != nil {
		return err
	}
	if err := s.online.Recover(); err != nil {
		return err
	}
	return s.restoreDeployments(ctx)
}

// registerOutput makes an asset version of a job's output.
func (s *Server) registerOutput(ctx context.Context, sc arm.Scope, a execution.Asset) (string, error) {
	if u, err := arm.ParseURI(a.URI); err == nil && u.Kind == arm.URIDatastore && u.Scope.Workspace == "" { // as assets that clients make
		a.URI = sc.DatastoreURI(u.Datastore, u.Path)
	}
	p := map[string]any{"description": nil}
	if a.Description != "" {
		p["description"] = a.Description
	}
	if a.Collection == arm.Models {
		p["modelUri"], p["modelType"], p["jobName"], p["flavors"] = a.URI, a.Type, a.Job, map[string]any{}
	} else {
		p["dataUri"], p["dataType"] = a.URI, a.Type
	}
	return s.register(ctx, sc, a.Collection, a.Name, a.Version, p)
}
