#!/bin/sh
# kernel.sh DIR: Debian's kernel and the modules that guests of the tests need, as DIR/vmlinuz and
# DIR/modules/*.ko.  The package is downloaded (70 MB) and unpacked, not installed; what is there
# already stays.
set -eu
dir=$1
modules="virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_net
failover net_failover e1000 e1000e vmxnet3 8139cp mii"

[ ! -e "$dir/vmlinuz" ] || exit 0
mkdir -p "$dir/new/modules"
cd "$dir/new"
package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
[ -n "$package" ] || { echo "no linux-image-amd64 among the packages" >&2; exit 1; }
apt-get -q download "$package"
dpkg-deb --fsys-tarfile linux-image-*.deb |
    tar -x --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/drivers/*' './lib/modules/*/kernel/net/*'
for module in $modules; do
	find lib/modules -name "$module.ko" -exec cp '{}' modules ';'
	[ -s "modules/$module.ko" ] || { echo "$package has no module $module" >&2; exit 1; }
done
rm -rf ../modules
mv modules ..
mv boot/vmlinuz-* ../vmlinuz
cd ..
rm -rf new
