package blob

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

var accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

// EnsureAccount makes the account when it is not there, and returns its key
// (base64), which stays the same for the folder's life.
func (s *Service) EnsureAccount(ctx context.Context, account string) (key string, err error) {
	if key, err = s.Key(ctx, account); err == nil || !errors.Is(err, store.ErrNotFound) {
		return key, err
	}
	if !accountName.MatchString(account) {
		return "", fmt.Errorf("blob: account %q: a name has 3 to 24 lower-case letters and digits", account)
	}
	secret := make([]byte, 64)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("blob: account %q: %w", account, err)
	}
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO blob_accounts (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING`, account, base64.StdEncoding.EncodeToString(secret)); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT key FROM blob_accounts WHERE name = ?`, account).Scan(&key)
	})
	if err != nil {
		return "", fmt.Errorf("blob: account %q: %w", account, err)
	}
	s.keys.Store(account, key)
	return key, nil
}

// Key returns the account's key (base64). Errors: store.ErrNotFound.
func (s *Service) Key(ctx context.Context, account string) (string, error) {
	if key, ok := s.keys.Load(account); ok {
		return key.(string), nil
	}
	var key string
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT key FROM blob_accounts WHERE name = ?`, account).Scan(&key)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("blob: account %q: %w", account, store.ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("blob: account %q: %w", account, err)
	}
	s.keys.Store(account, key)
	return key, nil
}
