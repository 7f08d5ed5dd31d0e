# Packer: what is computed while an image is built is for the machine that builds it; so the image gets
# the program and the script, and each machine made of it computes on its first boot.
source "null" "image" {
  ssh_host     = var.host
  ssh_username = "root"
  ssh_private_key_file = var.key
}

variable "host" { type = string }
variable "key" { type = string }

build {
  sources = ["source.null.image"]

  provisioner "file" {
    source      = "pathtune-firstboot"
    destination = "/usr/local/sbin/pathtune-firstboot"
  }
  provisioner "file" {
    source      = "pathtune-firstboot.service"
    destination = "/etc/systemd/system/pathtune-firstboot.service"
  }
  provisioner "shell" {
    inline = [
      "chmod 0755 /usr/local/sbin/pathtune-firstboot",
      "rm -f /var/lib/pathtune/firstboot /var/lib/pathtune/firstboot.json",
      "systemctl enable pathtune-firstboot.service",
    ]
  }
}
