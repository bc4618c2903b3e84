# What main.bicep deploys, for Terraform: export ARM_SUBSCRIPTION_ID=$(az account show --query id --output tsv); terraform init;
# terraform apply -var resource_group=RG -var image_id=... -var ssh_key=... -var probed=...
# The route tables are the files of ../scale-out, which the lab `scripts/lab run scale-out` plays and `sekisho` reads, and management.json:
# that subnet would else follow the default that the appliances advertise. lan has no table: its learned routes lead to on-premises, and no zone
# follows a learned default.
#
# Yours: the image (Debian 12 of generation 2 with cloud-init, netplan, FRR and the package), the firewalls at 10.0.10.10 and 10.0.11.10, the gateway, the spoke's peering.

terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "resource_group" {
  type = string
}

variable "image_id" {
  type        = string
  description = "A managed image or gallery version: Debian 12 of generation 2 with cloud-init, netplan, FRR and the package"
}

variable "ssh_key" {
  type = string
}

variable "probed" {
  type        = string
  description = "ADDRESS:PORT that answers TCP on the far side of the firewalls: what the appliances probe through them"
}

variable "size" {
  type        = string
  default     = "Standard_D8s_v5"
  description = "Four NICs: management, lan, egress1, egress2"
}

variable "asn" {
  type    = number
  default = 65010
}

data "azurerm_resource_group" "here" {
  name = var.resource_group
}

locals {
  location = data.azurerm_resource_group.here.location
  appliances = {
    nva1 = { management = "10.0.0.4", lan = "10.0.1.4", egress1 = "10.0.2.4", egress2 = "10.0.3.4" }
    nva2 = { management = "10.0.0.5", lan = "10.0.1.5", egress1 = "10.0.2.5", egress2 = "10.0.3.5" }
  }
  frontend = "10.0.1.100"
  tables = {
    egress1  = jsondecode(file("${path.module}/../scale-out/egress1.json"))
    egress2  = jsondecode(file("${path.module}/../scale-out/egress2.json"))
    gateway  = jsondecode(file("${path.module}/../scale-out/gateway.json"))
    inside1  = jsondecode(file("${path.module}/../scale-out/inside1.json"))
    inside2  = jsondecode(file("${path.module}/../scale-out/inside2.json"))
    outside1 = jsondecode(file("${path.module}/../scale-out/outside1.json"))
    outside2 = jsondecode(file("${path.module}/../scale-out/outside2.json"))
    vm       = jsondecode(file("${path.module}/../scale-out/vm.json"))

    management = jsondecode(file("${path.module}/management.json"))
  }
  # Which table a subnet has; none: "" (Azure allows none in RouteServerSubnet).
  subnets = {
    management        = { prefix = "10.0.0.0/24", table = "management" }
    lan               = { prefix = "10.0.1.0/24", table = "" }
    egress1           = { prefix = "10.0.2.0/24", table = "egress1" }
    egress2           = { prefix = "10.0.3.0/24", table = "egress2" }
    RouteServerSubnet = { prefix = "10.0.5.0/26", table = "" }
    GatewaySubnet     = { prefix = "10.0.6.0/27", table = "gateway" }
    inside1           = { prefix = "10.0.10.0/24", table = "inside1" }
    inside2           = { prefix = "10.0.11.0/24", table = "inside2" }
    outside1          = { prefix = "10.0.20.0/24", table = "outside1" }
    outside2          = { prefix = "10.0.21.0/24", table = "outside2" }
  }
  # The NICs of a machine, in the order of its interfaces: eth0 is management.
  nics  = ["management", "lan", "egress1", "egress2"]
  ports = merge([for name, each in local.appliances : { for nic in local.nics : "${name}-${nic}" => { nic = nic, address = each[nic] } }]...)
}

resource "azurerm_route_table" "table" {
  for_each                      = local.tables
  name                          = each.value.name
  location                      = local.location
  resource_group_name           = var.resource_group
  bgp_route_propagation_enabled = !each.value.disableBgpRoutePropagation

  dynamic "route" {
    for_each = each.value.routes
    content {
      name                   = route.value.name
      address_prefix         = route.value.addressPrefix
      next_hop_type          = route.value.nextHopType
      next_hop_in_ip_address = lookup(route.value, "nextHopIpAddress", null)
    }
  }
}

resource "azurerm_virtual_network" "hub" {
  name                = "hub"
  location            = local.location
  resource_group_name = var.resource_group
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "hub" {
  for_each             = local.subnets
  name                 = each.key
  resource_group_name  = var.resource_group
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = [each.value.prefix]
}

resource "azurerm_subnet_route_table_association" "hub" {
  for_each       = { for name, subnet in local.subnets : name => subnet.table if subnet.table != "" }
  subnet_id      = azurerm_subnet.hub[each.key].id
  route_table_id = azurerm_route_table.table[each.value].id
}

resource "azurerm_virtual_network" "spoke" {
  name                = "spoke"
  location            = local.location
  resource_group_name = var.resource_group
  address_space       = ["10.1.0.0/16"]
}

resource "azurerm_subnet" "vm" {
  name                            = "vm"
  resource_group_name             = var.resource_group
  virtual_network_name            = azurerm_virtual_network.spoke.name
  address_prefixes                = ["10.1.1.0/24"]
  default_outbound_access_enabled = false
}

resource "azurerm_subnet_route_table_association" "vm" {
  subnet_id      = azurerm_subnet.vm.id
  route_table_id = azurerm_route_table.table["vm"].id
}

resource "azurerm_lb" "balancer" {
  name                = "appliances"
  location            = local.location
  resource_group_name = var.resource_group
  sku                 = "Standard"

  frontend_ip_configuration {
    name                          = "frontend"
    subnet_id                     = azurerm_subnet.hub["lan"].id
    private_ip_address_allocation = "Static"
    private_ip_address            = local.frontend
  }
}

resource "azurerm_lb_backend_address_pool" "appliances" {
  name            = "appliances"
  loadbalancer_id = azurerm_lb.balancer.id
}

# 200 while the appliance forwards, else 503: sekisho.toml, [health].
resource "azurerm_lb_probe" "sekisho" {
  name                = "sekisho"
  loadbalancer_id     = azurerm_lb.balancer.id
  protocol            = "Http"
  port                = 8080
  request_path        = "/"
  interval_in_seconds = 5
  probe_threshold     = 2
}

resource "azurerm_lb_rule" "all_ports" {
  name                           = "all-ports"
  loadbalancer_id                = azurerm_lb.balancer.id
  protocol                       = "All"
  frontend_port                  = 0
  backend_port                   = 0
  frontend_ip_configuration_name = "frontend"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.appliances.id]
  probe_id                       = azurerm_lb_probe.sekisho.id
}

resource "azurerm_public_ip" "route_server" {
  name                = "route-server"
  location            = local.location
  resource_group_name = var.resource_group
  sku                 = "Standard"
  allocation_method   = "Static"
}

resource "azurerm_route_server" "here" {
  name                             = "route-server"
  location                         = local.location
  resource_group_name              = var.resource_group
  sku                              = "Standard"
  subnet_id                        = azurerm_subnet.hub["RouteServerSubnet"].id
  public_ip_address_id             = azurerm_public_ip.route_server.id
  branch_to_branch_traffic_enabled = true
}

resource "azurerm_route_server_bgp_connection" "peer" {
  for_each        = local.appliances
  name            = each.key
  route_server_id = azurerm_route_server.here.id
  peer_asn        = var.asn
  peer_ip         = each.value.lan
}

resource "azurerm_network_interface" "nic" {
  for_each                       = local.ports
  name                           = each.key
  location                       = local.location
  resource_group_name            = var.resource_group
  ip_forwarding_enabled          = each.value.nic != "management"
  accelerated_networking_enabled = each.value.nic != "management"

  ip_configuration {
    name                          = "ip"
    subnet_id                     = azurerm_subnet.hub[each.value.nic].id
    private_ip_address_allocation = "Static"
    private_ip_address            = each.value.address
  }
}

resource "azurerm_network_interface_backend_address_pool_association" "lan" {
  for_each                = local.appliances
  network_interface_id    = azurerm_network_interface.nic["${each.key}-lan"].id
  ip_configuration_name   = "ip"
  backend_address_pool_id = azurerm_lb_backend_address_pool.appliances.id
}

# Both on one rack would fail together. An availability set keeps them apart in every region; not all have zones.
resource "azurerm_availability_set" "apart" {
  name                         = "appliances"
  location                     = local.location
  resource_group_name          = var.resource_group
  platform_fault_domain_count  = 2
  platform_update_domain_count = 2
}

resource "azurerm_linux_virtual_machine" "machine" {
  for_each              = local.appliances
  name                  = each.key
  location              = local.location
  resource_group_name   = var.resource_group
  size                  = var.size
  availability_set_id   = azurerm_availability_set.apart.id
  admin_username        = "sekishoadmin" # not operator: Debian has a group of that name, and no user could be made
  source_image_id       = var.image_id
  network_interface_ids = [for nic in local.nics : azurerm_network_interface.nic["${each.key}-${nic}"].id]

  admin_ssh_key {
    username   = "sekishoadmin"
    public_key = var.ssh_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Premium_LRS"
  }

  # YAML is a superset of JSON.
  custom_data = base64encode("#cloud-config\n${jsonencode({
    write_files = [
      {
        path    = "/etc/sekisho/sekisho.toml"
        content = replace(replace(file("${path.module}/sekisho.toml"), "@LAN@", each.value.lan), "@PROBED@", var.probed)
      },
      { path = "/etc/sekisho/egress1.json", content = file("${path.module}/../scale-out/egress1.json") },
      { path = "/etc/sekisho/egress2.json", content = file("${path.module}/../scale-out/egress2.json") },
      # To Route Server from the address that it peers with: the default leads out of the management NIC.
      {
        path        = "/etc/netplan/60-route-server.yaml"
        permissions = "0600"
        content     = jsonencode({ network = { version = 2, ethernets = { eth1 = { routes = [{ to = "10.0.5.0/26", via = "10.0.1.1" }] } } } })
      },
    ]
    runcmd = [
      "netplan apply",
      "sed -i s/^bgpd=no/bgpd=yes/ /etc/frr/daemons",
      "sekisho bgp apply",
      "systemctl restart frr",
      "systemctl enable --now sekisho-control",
    ]
  })}")
}
