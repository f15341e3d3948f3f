package conformance

import (
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"
)

// refusesHead is a refusal whose answer has no body: only the code is left.
func (s *storage) refusesHead(name string, err error) {
	s.Helper()
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || re.StatusCode != 501 && re.StatusCode != 400 {
		s.note(name, failed, "a refusal was expected")
		return
	}
	s.note(name, refused, re.ErrorCode)
}

// open is a container that is reached by an address alone.
func (w *blobWitness) open(address string) *container.Client {
	c, err := container.NewClientWithNoCredential(address, &container.ClientOptions{ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}})
	require.NoError(w, err)
	return c
}

// signatures of every sort: of the account, of a container, of a blob, made by
// the clients and by hand, with times, protocols, addresses and headers.
func (w *blobWitness) signatures(key *service.SharedKeyCredential) {
	ctx := w.Context()
	address, err := w.service.GetSASURL(sas.AccountResourceTypes{Service: true, Container: true, Object: true}, sas.AccountPermissions{Read: true, List: true}, soon(), nil)
	w.ok("service.GetSASURL", err)
	all, err := service.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	_, err = allPages(w.T, all.NewListContainersPager(nil))
	w.ok("service.GetSASURL", err)
	_, err = all.NewContainerClient("box").Delete(ctx, nil)
	w.fails("AuthorizationPermissionMismatch", "container.Delete", err)

	address, err = w.box.GetSASURL(sas.ContainerPermissions{Read: true, List: true, Write: true, Create: true}, soon(), nil)
	w.ok("container.GetSASURL", err)
	c := w.open(address)
	_, err = c.NewBlockBlobClient("signed").Upload(ctx, body("s"), nil)
	w.ok("container.GetSASURL", err)
	_, err = allPages(w.T, c.NewListBlobsFlatPager(nil))
	w.ok("container.GetSASURL", err)
	_, err = c.NewBlobClient("signed").Delete(ctx, nil)
	w.fails("AuthorizationPermissionMismatch", "blob.Delete", err)

	sign := func(v sas.BlobSignatureValues) string {
		q, err := v.SignWithSharedKey(key)
		require.NoError(w, err)
		return w.url + "/box?" + q.Encode()
	}
	may := (&sas.ContainerPermissions{Read: true, List: true}).String()
	read := func(v sas.BlobSignatureValues, code string) {
		w.Helper()
		_, err := w.open(sign(v)).NewBlobClient("signed").DownloadStream(ctx, nil)
		if code == "" {
			w.ok("blob.DownloadStream", err)
			return
		}
		w.fails(code, "blob.DownloadStream", err)
	}
	read(sas.BlobSignatureValues{ContainerName: "box", Permissions: may, ExpiryTime: soon(), StartTime: time.Now().Add(-time.Hour), Protocol: sas.ProtocolHTTPSandHTTP}, "")
	read(sas.BlobSignatureValues{ContainerName: "box", Permissions: may, ExpiryTime: time.Now().Add(-time.Minute)}, "AuthenticationFailed")
	read(sas.BlobSignatureValues{ContainerName: "box", Permissions: may, ExpiryTime: soon(), StartTime: time.Now().Add(30 * time.Minute)}, "AuthenticationFailed")
	read(sas.BlobSignatureValues{ContainerName: "box", BlobName: "other", Permissions: "r", ExpiryTime: soon()}, "AuthenticationFailed")
	read(sas.BlobSignatureValues{ContainerName: "elsewhere", Permissions: may, ExpiryTime: soon()}, "AuthenticationFailed")
	v := sas.BlobSignatureValues{ContainerName: "box", BlobName: "signed", Permissions: "r", ExpiryTime: soon(), ContentType: "text/odd", CacheControl: "no-store"}
	q, err := v.SignWithSharedKey(key)
	require.NoError(w, err)
	b, err := blob.NewClientWithNoCredential(w.url+"/box/signed?"+q.Encode(), nil)
	require.NoError(w, err)
	r, err := b.DownloadStream(ctx, nil)
	w.ok("blob.DownloadStream", err)
	w.want("blob.DownloadStream", err == nil && *r.ContentType == "text/odd" && *r.CacheControl == "no-store", "%v %v", r.ContentType, r.CacheControl)

	_, err = w.open(w.url+"/box").GetProperties(ctx, nil)
	re, is := errors.AsType[*azcore.ResponseError](err)
	w.want("container.GetProperties", is && re.StatusCode >= 401 && re.StatusCode <= 404, "nobody was let in: %v", err)
	forged, err := service.NewSharedKeyCredential(w.account, "Zm9yZ2Vk")
	require.NoError(w, err)
	f, err := service.NewClientWithSharedKeyCredential(w.url, forged, nil)
	require.NoError(w, err)
	_, err = f.GetAccountInfo(ctx, nil)
	w.fails("AuthenticationFailed", "service.GetAccountInfo", err)
}

// delegation is signed with a key that a token gets. The client sends tokens
// over https only, which is the way in the process.
func (w *blobWitness) delegation() {
	ctx := w.Context()
	o := policy.ClientOptions{Transport: w.lw.Transport()}
	host := "https://" + w.account + ".blob.core.windows.net/"
	c, err := service.NewClient(host, w.lw.Credential(), &service.ClientOptions{ClientOptions: o})
	require.NoError(w, err)
	now := time.Now().UTC().Add(-time.Minute)
	udk, err := c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: ptr(now.Format(sas.TimeFormat)), Expiry: ptr(now.Add(time.Hour).Format(sas.TimeFormat))}, nil)
	w.ok("service.GetUserDelegationCredential", err)
	if err != nil {
		return
	}
	q, err := sas.BlobSignatureValues{ContainerName: "box", BlobName: "signed", Permissions: "r", StartTime: now, ExpiryTime: now.Add(30 * time.Minute), Version: sas.Version}.SignWithUserDelegation(udk)
	require.NoError(w, err)
	b, err := blob.NewClientWithNoCredential(host+"box/signed?"+q.Encode(), &blob.ClientOptions{ClientOptions: o})
	require.NoError(w, err)
	r, err := b.DownloadStream(ctx, nil)
	w.ok("service.GetUserDelegationCredential", err)
	w.equal("service.GetUserDelegationCredential", "s", read(w.T, r.Body))
	_, err = b.Delete(ctx, nil)
	w.fails("AuthorizationPermissionMismatch", "blob.Delete", err)
}
