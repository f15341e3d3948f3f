"""Times azure-ai-ml's own ways to move and to look at files: reference.py WHAT JSON. Imports and preparations are not timed.

upload   its blob helper's upload_directory of SOURCE to DEST, to a container of ACCOUNT_URL
tree     what it does before an upload of SOURCE: the hash, and the list of files
share    a whole upload by its blob helper, with the confirmation; tells whether it was there already
"""

import json
import logging
import os
import sys
import time

logging.disable(logging.CRITICAL)

from azure.ai.ml._artifacts._blob_storage_helper import BlobStorageClient  # noqa: E402
from azure.ai.ml._utils._asset_utils import get_ignore_file, get_object_hash, get_upload_files_from_folder, upload_directory  # noqa: E402


def client(o):
    if o.get("create"):
        from azure.storage.blob import BlobServiceClient

        BlobServiceClient(o["account_url"], credential=o["credential"]).create_container(o["container"])
    return BlobStorageClient(credential=o["credential"], account_url=o["account_url"], container_name=o["container"])


def upload(o):
    c, ignore = client(o), get_ignore_file(o["source"])
    began = time.perf_counter()
    upload_directory(storage_client=c, source=o["source"], dest=o["dest"], msg="", show_progress=False, ignore_file=ignore)
    return {"seconds": time.perf_counter() - began, "files": c.uploaded_file_count}


def tree(o):
    began = time.perf_counter()
    ignore = get_ignore_file(o["source"])
    get_object_hash(o["source"], ignore)
    files = get_upload_files_from_folder(o["source"], ignore_file=ignore)
    return {"seconds": time.perf_counter() - began, "files": len(files)}


def share(o):
    c, ignore = client(o), get_ignore_file(o["source"])
    hashed = get_object_hash(o["source"], ignore)
    info = c.upload(o["source"], o["name"], o["version"], ignore_file=ignore, asset_hash=hashed, show_progress=False)
    return {"path": info["remote path"], "name": info["name"], "version": info["version"], "uploaded": c.uploaded_file_count}


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    print(json.dumps({"upload": upload, "tree": tree, "share": share}[sys.argv[1]](json.loads(sys.argv[2]))))
