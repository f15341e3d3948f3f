"""Asks an online endpoint by azure-ai-ml: invoke.py SERVER.json ENDPOINT REQUEST.json prints the answer."""

import json
import logging
import sys
import warnings

import shim


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with open(sys.argv[1], encoding="utf-8") as f:
        client = shim.connect(json.load(f))
    print(client.online_endpoints.invoke(sys.argv[2], request_file=sys.argv[3]))


if __name__ == "__main__":
    main()
