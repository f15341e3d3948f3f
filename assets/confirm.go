package assets

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// confirmed looks for a complete upload, in the place of old clients too, and notes it in up. there is whether the blob or
// folder that carries the confirmation exists.
func (b *box) confirmed(ctx context.Context, up *Upload) (there bool, err error) {
	own, err := b.stat(ctx, up.indicator)
	if err != nil || own == nil {
		return false, err
	}
	if legacy := strings.ReplaceAll(up.indicator, uploadFolder, legacyFolder); legacy != up.indicator && !b.lake {
		old, err := b.stat(ctx, legacy)
		if err != nil {
			return false, err
		}
		if old != nil && metadata(old.meta, "upload_status") == "completed" {
			up.found(old.meta)
			up.Path = strings.ReplaceAll(up.Path, uploadFolder, legacyFolder)
			up.URL, up.indicator = b.blobURL(up.Path), legacy
			return true, nil
		}
	}
	if metadata(own.meta, "upload_status") == "completed" {
		up.found(own.meta)
	}
	return true, nil
}

func (u *Upload) found(m map[string]*string) {
	u.Reused, u.Name, u.Version = true, metadata(m, "name"), metadata(m, "version")
}

// confirm marks an upload as complete, in the words that azure-ai-ml looks for.
func (b *box) confirm(ctx context.Context, indicator, name, version string) error {
	m := map[string]string{"upload_status": "completed", "name": name, "version": version}
	err := b.mark(ctx, indicator, m)
	if b.lake && status(err) == 404 { // an account without a hierarchy has no folders: the marker stands for one
		if err = b.put(ctx, indicator, nil, emptySum, condition{}); err == nil {
			m["hdi_isfolder"] = "true"
			err = b.mark(ctx, indicator, m)
		}
	}
	if err != nil {
		return fmt.Errorf("confirming the upload at %s: %w", indicator, err)
	}
	return nil
}

// indicate names what carries the confirmation of an upload: its first file, or on a Data Lake the folder of the hash.
func (b *box) indicate(up *Upload, first string) {
	up.indicator = first
	if b.lake && strings.HasPrefix(up.Path, uploadFolder+"/") {
		up.indicator = path.Dir(up.Path)
	}
}
