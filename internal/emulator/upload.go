package emulator

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// uploadTime is how long the address of a pending upload can be written to.
const uploadTime = 24 * time.Hour

// registryAccount is the storage account of a registry.
func registryAccount(name string) string {
	h := sha256.Sum256([]byte("registry " + strings.ToLower(name)))
	return "amlreg" + hex.EncodeToString(h[:6])
}

// accountOf is the storage account behind a workspace or registry.
func accountOf(id arm.ID) string {
	if sc, ok := id.Scope(); ok {
		return sc.Account()
	}
	name, _ := id.Registry()
	return registryAccount(name)
}

// uploadContainer gives an asset version a container of its own, the same one each time.
func (c *call) uploadContainer(id arm.ID) (account, container string, err error) {
	account = accountOf(id)
	container = guid("upload " + strings.ToLower(id.String()))
	if _, err := c.s.blobs.EnsureAccount(c.ctx(), account); err != nil {
		return "", "", err
	}
	c.s.addAccount(account)
	return account, container, c.s.blobs.EnsureContainer(c.ctx(), account, container)
}

// blobReference is an address with a signature for what the permissions say.
func (c *call) blobReference(account, container, name, permissions string) (document, error) {
	u, err := c.s.signedURL(account, container, name, permissions, uploadTime)
	if err != nil {
		return nil, err
	}
	arms := "/subscriptions/" + c.v["sub"] + "/resourceGroups/" + c.v["rg"] + "/providers/Microsoft.Storage/storageAccounts/" + account
	return document{
		"blobUri": arm.BlobURL(account, container, name), "storageAccountArmId": arms,
		"credential": map[string]any{"credentialType": "SAS", "sasUri": u},
	}, nil
}

// startUpload gives a place for an asset's files, and a signature to write there.
func startUpload(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	how := "TemporaryBlobReference"
	if body["pendingUploadType"] != nil {
		if how, err = body.oneOf("pendingUploadType", "TemporaryBlobReference", "None"); err != nil {
			return err
		}
	}
	id, err := versionInPath(c)
	if err != nil {
		return err
	}
	if err := errors.Join(nameOf(id.Inner()[0].Collection, id.Inner()[0].Name), nameOf(arm.Versions, id.Name())); err != nil {
		return err
	}
	upload := body.text("pendingUploadId")
	if upload == "" {
		upload = guid(fmt.Sprint("pending ", id, c.now.UnixNano()))
	}
	out := document{"pendingUploadId": upload, "pendingUploadType": how}
	if how != "None" {
		account, container, err := c.uploadContainer(id)
		if err != nil {
			return err
		}
		ref, err := c.blobReference(account, container, "", "racwdl")
		if err != nil {
			return err
		}
		out["blobReferenceForConsumption"] = ref
	}
	return c.reply(http.StatusOK, out)
}

// versionInPath is the version whose action is called: …/data/d/versions/1/ACTION.
func versionInPath(c *call) (arm.ID, error) {
	p := strings.TrimSuffix(c.path(), "/")
	id, err := arm.ParseID(p[:strings.LastIndexByte(p, '/')])
	if err != nil {
		return id, arm.BadRequest("InvalidRequestUri", "%s", err)
	}
	if c.sc.Workspace != "" {
		id.Subscription, id.ResourceGroup, id.Segments[0].Name = c.sc.Subscription, c.sc.ResourceGroup, c.sc.Workspace
	}
	return id, nil
}

// codeIndex is where the code of a hash is found.
func codeIndex(base, hash, version string) string {
	return base + "/codeHashes/" + strings.ToLower(hash) + "-" + version
}

func above(id arm.ID) string {
	up := id
	up.Segments = id.Segments[:1]
	return up.String()
}

// indexCode makes a code version findable by its content hash. The first one with a hash stays.
func indexCode(tx *sql.Tx, id arm.ID, doc document) error {
	p := doc.object("properties", "properties")
	hash, _ := p["hash_sha256"].(string)
	if hash == "" {
		return nil
	}
	at := codeIndex(above(id), hash, fmt.Sprint(p["hash_version"]))
	sd, err := store.Get(tx, at)
	if err == nil {
		if _, err := store.Get(tx, string(sd.Body)); err == nil {
			return nil
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	_, err = store.Put(tx, &store.Document{ID: at, Type: "codeHash", Body: []byte(id.String())})
	return err
}

// codesByHash lists the code of a content hash. The name in the path does not count.
func codesByHash(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	value := []any{}
	err = c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		sd, err := store.Get(tx, codeIndex(above(id), c.query("hash"), c.query("hashVersion")))
		if err != nil {
			return err
		}
		code, err := store.Get(tx, string(sd.Body))
		if err != nil {
			return err
		}
		d, err := read(code)
		value = append(value, d)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.reply(http.StatusOK, document{"value": value})
}

// publish copies a workspace's asset version to a registry.
func publish(c *call) error {
	var want struct{ DestinationName, DestinationVersion, RegistryName string }
	if err := c.into(&want); err != nil {
		return err
	}
	id, err := versionInPath(c)
	if err != nil {
		return err
	}
	if want.RegistryName == "" {
		return arm.Invalid("registryName", "The field registryName is required.")
	}
	in := id.Inner()
	if want.DestinationName == "" {
		want.DestinationName = in[0].Name
	}
	if want.DestinationVersion == "" {
		want.DestinationVersion = in[1].Name
	}
	if _, err := c.find(id.String(), "asset version", in[0].Name+":"+in[1].Name); err != nil {
		return err
	}
	to, err := c.s.registryID(c.ctx(), want.RegistryName)
	if err != nil {
		return err
	}
	copied, err := c.share(id.String(), to, in[0].Collection, want.DestinationName, want.DestinationVersion)
	if err != nil {
		return err
	}
	return c.action(copied)
}
