#!/bin/sh
# Makes the root file system of the image: the program, the libraries that it is linked with, and users. Nothing else: no shell,
# no package manager. Roots of TLS are compiled in.
#   rootfs.sh PROGRAM FOLDER
set -eu
program=$1
folder=$2
mkdir -p "$folder/etc" "$folder/data" "$folder/tmp"
cp "$program" "$folder/mcpfn"
# `name => /path (address)`, and the loader as `/path (address)`
ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\).*/\1/p' | while read -r library; do
  mkdir -p "$folder$(dirname "$library")"
  cp -L "$library" "$folder$library"
done
echo 'mcpfn:x:65532:65532::/data:/nonexistent' > "$folder/etc/passwd"
echo 'mcpfn:x:65532:' > "$folder/etc/group"
chmod 1777 "$folder/tmp"
chown 65532:65532 "$folder/data" 2> /dev/null || true
