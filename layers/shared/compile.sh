#!/usr/bin/env bash
# Byte-compiles a folder for the Python that will run it, so that a cold start need not.
#   compile.sh 3.13 FOLDER
# Unchecked: Lambda's files get times of their own, and a pyc that is compared with its source would be thrown away.
set -euo pipefail

version=$1 folder=$2

for python in "python$version" "$HOME"/.pyenv/versions/"$version".*/bin/python3 python3; do
    found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    [ "$found" = "$version" ] || continue
    # -S: whatever else is installed for that Python is of no interest.
    exec "$python" -S -m compileall -q -j 0 --invalidation-mode unchecked-hash "$folder"
done

echo "Not byte-compiled, since no Python $version was found here: it works, but starts at half the speed." >&2
echo "Install one before a deployment that matters, with pyenv for example." >&2
