package emulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// Types of documents that are looked for by type.
const (
	typeWorkspace = arm.Provider + "/" + arm.Workspaces
	typeDatastore = typeWorkspace + "/" + arm.Datastores
	typeCompute   = typeWorkspace + "/" + arm.Computes
	typeRegistry  = arm.Provider + "/" + arm.Registries
)

// known reads what the folder holds already into memory.
func (s *Server) known(ctx context.Context) error {
	return s.db.View(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: typeWorkspace})
		if err != nil {
			return err
		}
		for _, d := range all {
			if id, err := arm.ParseID(d.ID); err == nil {
				if sc, ok := id.Scope(); ok {
					s.workspaces[sc.Key()] = sc
					s.accounts[sc.Account()] = true
				}
			}
		}
		stores, err := store.List(tx, store.Query{Type: typeDatastore})
		if err != nil {
			return err
		}
		for _, d := range stores {
			doc, err := read(d)
			if err != nil {
				return err
			}
			if a := localAccount(doc); a != "" {
				s.accounts[strings.ToLower(a)] = true
			}
		}
		for _, typ := range []string{typeOnline, typeBatch} {
			all, err := store.List(tx, store.Query{Type: typ})
			if err != nil {
				return err
			}
			for _, d := range all {
				if id, err := arm.ParseID(d.ID); err == nil {
					if sc, ok := id.Scope(); ok {
						s.endpoints[strings.ToLower(id.Name())] = sc
					}
				}
			}
		}
		regs, err := store.List(tx, store.Query{Type: typeRegistry})
		for _, d := range regs {
			if id, err := arm.ParseID(d.ID); err == nil {
				s.accounts[registryAccount(id.Name())] = true
			}
		}
		return err
	})
}

// birth makes the workspace of the options, unless the folder has it.
func (s *Server) birth(ctx context.Context) error {
	if _, ok := s.workspace(s.opts.Scope); ok {
		return nil
	}
	now := s.opts.Clock()
	sc := s.opts.Scope
	docs := map[string]document{}
	for _, c := range s.opts.Computes {
		docs[c.Name] = computeAtBirth(c, now)
	}
	if err := s.ground(ctx, sc); err != nil {
		return fmt.Errorf("emulator: birth: %w", err)
	}
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := putNew(tx, sc.ID(), workspaceDocument(sc, document{"location": arm.Region}), now); err != nil {
			return err
		}
		if err := putStores(tx, sc, now); err != nil {
			return err
		}
		for _, c := range s.opts.Computes {
			if err := putNew(tx, sc.Child(arm.Computes, c.Name), docs[c.Name], now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("emulator: birth: %w", err)
	}
	s.settled(sc)
	_, err = s.tracking.EnsureExperiment(ctx, sc.Key(), "Default")
	return err
}

// ground makes a workspace's storage.
func (s *Server) ground(ctx context.Context, sc arm.Scope) error {
	if _, err := s.blobs.EnsureAccount(ctx, sc.Account()); err != nil {
		return err
	}
	for _, c := range []string{sc.BlobContainer(), arm.ArtifactContainer} {
		if err := s.blobs.EnsureContainer(ctx, sc.Account(), c); err != nil {
			return err
		}
	}
	for _, c := range []string{sc.FileContainer(), sc.WorkContainer()} {
		if err := s.blobs.EnsureShare(ctx, sc.Account(), c); err != nil {
			return err
		}
	}
	return nil
}

// settled makes a workspace known whose documents are durable.
func (s *Server) settled(sc arm.Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workspaces[sc.Key()] = sc
	s.accounts[sc.Account()] = true
}

func putNew(tx *sql.Tx, at string, d document, now time.Time) error {
	id, err := arm.ParseID(at)
	if err != nil {
		return err
	}
	d.named(id)
	d.signed(nil, now)
	sd, err := d.stored(id)
	if err != nil {
		return err
	}
	_, err = store.Put(tx, sd)
	return err
}

// putStores writes the four datastores of a workspace, unless they are there.
func putStores(tx *sql.Tx, sc arm.Scope, now time.Time) error {
	account := sc.Account()
	blob := func(container string, isDefault bool) map[string]any {
		return map[string]any{
			"datastoreType": "AzureBlob", "accountName": account, "containerName": container, "endpoint": arm.StorageSuffix, "protocol": "https",
			"isDefault": isDefault, "credentials": map[string]any{"credentialsType": "AccountKey"}, "serviceDataAccessAuthIdentity": "None",
			"subscriptionId": sc.Subscription, "resourceGroup": sc.ResourceGroup, "tags": map[string]any{}, "properties": map[string]any{},
		}
	}
	share := func(name string) map[string]any {
		p := blob(name, false)
		delete(p, "containerName")
		p["datastoreType"], p["fileShareName"] = "AzureFile", name
		return p
	}
	for _, d := range []struct {
		name string
		p    map[string]any
	}{
		{arm.BlobStore, blob(sc.BlobContainer(), true)},
		{arm.ArtifactStore, blob(arm.ArtifactContainer, false)},
		{arm.FileStore, share(sc.FileContainer())},
		{arm.WorkStore, share(sc.WorkContainer())},
	} {
		at := sc.Child(arm.Datastores, d.name)
		_, err := store.Get(tx, at)
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := putNew(tx, at, document{"properties": d.p}, now); err != nil {
			return err
		}
	}
	return nil
}
